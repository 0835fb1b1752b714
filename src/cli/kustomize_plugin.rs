//! The commands that link this program where kustomize and kubectl look for an executable plugin; runs none of them.

use crate::addressing::{API_VERSION, KIND};

/// A shell script that makes the folder and the link.
pub(super) fn script(program: &str) -> String {
    let folder = format!("{API_VERSION}/{}", KIND.to_lowercase());
    format!(
        "\
# kustomize and kubectl run the program that they find under the apiVersion and kind of a transformer's configuration.
plugins=${{KUSTOMIZE_PLUGIN_HOME:-${{XDG_CONFIG_HOME:-$HOME/.config}}/kustomize/plugin}}
mkdir -p \"$plugins/{folder}\"
ln -sf {} \"$plugins/{folder}/{KIND}\"
# Then: kubectl kustomize --enable-alpha-plugins FOLDER, or kustomize build --enable-alpha-plugins FOLDER
",
        quoted(program)
    )
}

/// A word of a shell script.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_path_is_one_word() {
        assert_eq!(super::quoted("/a b/it's"), "'/a b/it'\\''s'");
    }
}
