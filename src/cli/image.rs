//! Takes the text of `--image`, says why it is no reference to a container image; asks no registry.

/// Checks a reference: `[HOST[:PORT]/]PATH[:TAG][@DIGEST]` (distribution `reference/regexp.go`).
///
/// # Errors
/// What is wrong, for clap to show.
pub(super) fn parse(text: &str) -> Result<String, String> {
    let (named, digest) = match text.split_once('@') {
        Some((named, digest)) => (named, Some(digest)),
        None => (text, None),
    };
    // A colon before a slash is the one of a port.
    let (path, tag) = match named.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
        _ => (named, None),
    };
    let mut parts: Vec<&str> = path.split('/').collect();
    if parts.len() > 1 && parts.first().is_some_and(|first| is_host(first)) {
        parts.remove(0);
    }
    if !parts.iter().all(|part| is_component(part)) {
        return Err(
            "the name needs parts of lower-case letters and digits, with `.`, `_` or `-` between, and slashes".into(),
        );
    }
    if tag.is_some_and(|tag| !is_tag(tag)) {
        return Err("the tag needs 1 to 128 letters, digits, `_`, `.` and `-`".into());
    }
    if digest.is_some_and(|digest| !is_digest(digest)) {
        return Err("the digest is written sha256: and 64 hexadecimal digits".into());
    }
    Ok(text.to_owned())
}

fn is_host(text: &str) -> bool {
    let (name, port) = text.split_once(':').unwrap_or((text, "0"));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let labels = name
        .split('.')
        .all(|label| !label.is_empty() && label.bytes().all(plain) && !label.starts_with('-') && !label.ends_with('-'));
    let is_meant = text == "localhost" || text.contains(['.', ':']);
    is_meant && labels && port.parse::<u16>().is_ok()
}

fn is_component(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = |byte: Option<u8>| byte.is_some_and(word);
    ends(text.bytes().next())
        && ends(text.bytes().last())
        && text.bytes().all(|byte| word(byte) || b"._-".contains(&byte))
        && !text.contains("..")
        && !text.contains("___")
}

fn is_tag(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    (1..=128).contains(&text.len()) && text.bytes().all(plain) && !text.starts_with(['.', '-'])
}

fn is_digest(text: &str) -> bool {
    let digits = text.strip_prefix("sha256:");
    digits.is_some_and(|digits| digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn references_are_told_from_other_texts() {
        let digest = format!("capv-ipam@sha256:{}", "0a".repeat(32));
        for good in [
            "capv-ipam",
            "capv-ipam:0.1.0",
            "registry.example.com/capv-ipam:0.1.0",
            "registry.example.com:5000/tools/capv-ipam",
            "localhost:5000/capv_ipam:v1",
            "REG.example.com/a/b-c.d__e:latest",
            &digest,
        ] {
            assert_eq!(parse(good).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "bad image",
            "a\"b",
            "a: b",
            "REG.example.com/Foo:1",
            "foo@sha256:abc",
            "foo:",
            "foo/",
            "/foo",
            "foo:a/b:c d",
            "-foo",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
