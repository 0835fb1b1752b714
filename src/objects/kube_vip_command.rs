//! Takes one shell command line of a machine's configuration and tells whether it serves kube-vip, serves it alone, or neither; never runs anything.

/// What a command has to do with kube-vip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// Nothing.
    None,
    /// It does nothing else: it calls a kube-vip script or touches kube-vip's own files.
    Only,
    /// It does something else too, or is not understood.
    Mixed,
}

/// Whether a text speaks of kube-vip, in any of its spellings.
#[must_use]
pub(crate) fn mentions_kube_vip(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["kube-vip", "kube_vip", "kubevip"]
        .iter()
        .any(|name| lower.contains(name))
}

/// Words after which the next word is a program again.
const KEYWORDS: [&str; 12] = [
    "if", "then", "else", "elif", "fi", "do", "done", "while", "!", "{", "}", "sudo",
];
/// Programs that change nothing by themselves: they test, wait or make folders.
const NEUTRAL: [&str; 20] = [
    "[", "[[", "test", "true", ":", "exit", "sleep", "set", "mkdir", "echo", "printf", "grep", "awk", "cut", "head",
    "sort", "tr", "jq", "export", "local",
];

/// Judges a command line.
///
/// Every simple command in it must be neutral or touch kube-vip's own files; whoever writes a file must write one of them.
pub(crate) fn service(command: &str) -> Service {
    if !mentions_kube_vip(command) {
        return Service::None;
    }
    let joined = command.replace("\\\n", " ");
    let mut serves = false;
    for simple in simple_commands(&joined) {
        match judge(&simple) {
            Some(true) => serves = true,
            Some(false) => {}
            None => return Service::Mixed,
        }
    }
    if serves { Service::Only } else { Service::Mixed }
}

/// Whether a simple command serves kube-vip (`Some(true)`), is neutral (`Some(false)`), or does something else (`None`).
fn judge(words: &[String]) -> Option<bool> {
    let words: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .skip_while(|word| KEYWORDS.contains(word))
        .collect();
    let Some((program, arguments)) = words.split_first() else {
        return Some(false);
    };
    let redirected = words
        .iter()
        .position(|word| word.starts_with('>') || word.ends_with('>'));
    let target = redirected.map(|at| {
        let inline = words[at].trim_start_matches(['>', '1', '2', '&']);
        if inline.is_empty() {
            words.get(at + 1).copied().unwrap_or_default()
        } else {
            inline
        }
    });
    let written_elsewhere =
        target.is_some_and(|target| !mentions_kube_vip(target) && target != "/dev/null" && target != "1");
    if written_elsewhere {
        return None;
    }
    if is_neutral(program, arguments) {
        return Some(target.is_some_and(mentions_kube_vip));
    }
    let name = program.rsplit('/').next().unwrap_or(program);
    if mentions_kube_vip(name) {
        return Some(true);
    }
    let last = arguments
        .iter()
        .rev()
        .find(|word| !word.starts_with('-'))
        .copied()
        .unwrap_or_default();
    let first = arguments
        .iter()
        .find(|word| !word.starts_with('-'))
        .copied()
        .unwrap_or_default();
    let serves = match name {
        // These change the file that they name last.
        "sed" | "tee" | "rm" | "chmod" | "chown" | "touch" | "cat" | "cp" | "mv" => mentions_kube_vip(last),
        // These run the script that they name first.
        "bash" | "sh" => mentions_kube_vip(first.rsplit('/').next().unwrap_or(first)),
        // These fetch or run the image.
        "ctr" | "crictl" | "nerdctl" | "docker" | "podman" => arguments.iter().any(|word| mentions_kube_vip(word)),
        _ => false,
    };
    serves.then_some(true)
}

/// An assignment, a query, or what follows a substitution such as `--interface $(…) --address …`.
fn is_neutral(program: &str, arguments: &[&str]) -> bool {
    let assignment = program
        .split_once('=')
        .is_some_and(|(name, _)| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
    let query = match program {
        "ip" => !["add", "del", "set", "flush", "replace"]
            .iter()
            .any(|verb| arguments.contains(verb)),
        "kubeadm" => arguments.first() == Some(&"version"),
        _ => NEUTRAL.contains(&program),
    };
    assignment || query || program.starts_with('-') || program.starts_with('>') || program == "$"
}

/// The simple commands of a line, each as its words, quotes removed.
fn simple_commands(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word = String::new();
    let mut quote = None;
    let mut in_word = false;
    let finish = |word: &mut String, in_word: &mut bool, commands: &mut Vec<Vec<String>>| {
        if std::mem::take(in_word) {
            let last = commands.len() - 1;
            commands[last].push(std::mem::take(word));
        }
    };
    for char in line.chars() {
        match (quote, char) {
            (Some(open), _) if char == open => quote = None,
            (Some(_), _) => word.push(char),
            (None, '\'' | '"') => {
                quote = Some(char);
                in_word = true;
            }
            (None, ';' | '&' | '|' | '\n' | '(' | ')' | '`') => {
                finish(&mut word, &mut in_word, &mut commands);
                commands.push(Vec::new());
            }
            (None, char) if char.is_whitespace() => finish(&mut word, &mut in_word, &mut commands),
            (None, char) => {
                word.push(char);
                in_word = true;
            }
        }
    }
    finish(&mut word, &mut in_word, &mut commands);
    commands.retain(|words| !words.is_empty());
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_that_only_serve_kube_vip_are_known() {
        for command in [
            "/etc/kube-vip-prepare.sh",
            "/etc/kube-vip-cleanup.sh",
            "bash /etc/pre-kubeadm-commands/50-kube-vip-prepare.sh",
            "sed -i 's#path: /etc/kubernetes/admin.conf#path: /etc/kubernetes/super-admin.conf#' /etc/kubernetes/manifests/kube-vip.yaml",
            "if [ -f /run/kubeadm/kubeadm.yaml ]; then sed -i 's#a#b#' /etc/kubernetes/manifests/kube-vip.yaml; fi",
            "[ -f /run/kubeadm/kubeadm.yaml ] && sed -i 's#a#b#' /etc/kubernetes/manifests/kube-vip.yaml || true",
            "mkdir -p /etc/kubernetes/manifests && ctr images pull ghcr.io/kube-vip/kube-vip:v0.5.5 && ctr run --rm --net-host ghcr.io/kube-vip/kube-vip:v0.5.5 vip /kube-vip manifest pod | tee /etc/kubernetes/manifests/kube-vip.yaml",
            "ctr run --rm ghcr.io/kube-vip/kube-vip:v0.5.5 vip /kube-vip manifest pod > /etc/kubernetes/manifests/kube-vip.yaml",
            "/bin/bash /etc/caren/configure-for-kube-vip.sh use-super-admin.conf",
            "sed --in-place \"s|/etc/kubernetes/super-admin.conf|/etc/kubernetes/admin.conf|g\" /etc/kubernetes/manifests/kube-vip.yaml",
            "ctr run ghcr.io/kube-vip/kube-vip:v0.3.8 vip /kube-vip manifest pod --interface $(ip -4 -j route list default | jq -r .[0].dev) --address ${VIP} --leaderElection > /etc/kubernetes/manifests/kube-vip.yaml",
            "MINOR=$(kubeadm version -o short | cut -d. -f2)\nif [ \"$MINOR\" -ge 29 ]; then\n  sed -i 's#a#b#' /etc/kubernetes/manifests/kube-vip.yaml\nfi\n",
        ] {
            assert_eq!(service(command), Service::Only, "{command}");
        }
    }

    #[test]
    fn commands_that_do_something_else_stay() {
        for command in [
            "hostname \"{{ ds.meta_data.hostname }}\" && /etc/kube-vip-prepare.sh",
            "sed -i 's/kube-vip/x/' /etc/hosts",
            "echo 192.0.2.1 kube-vip >>/etc/hosts",
            "curl -o /tmp/kube-vip.yaml https://example.org/kube-vip.yaml",
            "cp /etc/kubernetes/manifests/kube-vip.yaml /root/backup.yaml",
            "systemctl restart kubelet; rm /etc/kube-vip.hosts",
            "echo kube-vip",
        ] {
            assert_eq!(service(command), Service::Mixed, "{command}");
        }
        for command in ["mkdir -p /etc/pre-kubeadm-commands", "hostname x", ""] {
            assert_eq!(service(command), Service::None, "{command}");
        }
    }
}
