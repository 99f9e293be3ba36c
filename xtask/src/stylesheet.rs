//! The style sheet: the files of `style/` in the order of their names, as one file.

use anyhow::Context as _;
use std::{fs, path::Path};

/// All style files one after another. `server/build.rs` does the same and must agree with this byte for byte.
pub(crate) fn source(root: &Path) -> anyhow::Result<String> {
    let folder = root.join("style");
    let mut files = Vec::new();
    if folder.is_dir() {
        for entry in fs::read_dir(&folder)? {
            let file = entry?.path();
            if file.extension().is_some_and(|extension| extension == "css") {
                files.push(file);
            }
        }
    }
    files.sort();
    let mut source = String::new();
    for file in files {
        source.push_str(
            &fs::read_to_string(&file).with_context(|| format!("failed to read {}", file.display()))?,
        );
        source.push('\n');
    }
    Ok(source)
}

/// Without comments and with every run of white space as one space; what stands in quotes stays as it is.
pub(crate) fn minified(source: &str) -> String {
    let mut kept = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(character) = rest.chars().next() {
        if rest.starts_with("/*") {
            rest = rest.split_once("*/").map_or("", |(_, after)| after);
        } else if character == '"' || character == '\'' {
            let end = quoted_length(rest, character);
            kept.push_str(&rest[..end]);
            rest = &rest[end..];
        } else if character.is_ascii_whitespace() {
            // Only beside brackets and separators is a space surely without meaning.
            if !kept.ends_with([' ', '{', '}', ';', ',']) {
                kept.push(' ');
            }
            rest = rest.trim_ascii_start();
        } else {
            if matches!(character, '{' | '}') && kept.ends_with(' ') {
                kept.pop();
            }
            kept.push(character);
            rest = &rest[character.len_utf8()..];
        }
    }
    kept
}

/// How many bytes the text in quotes at the start of `text` takes, both quotes included.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (position, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return position + quote.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::minified;

    #[test]
    fn only_what_has_no_meaning_goes() {
        for (source, expected) in [
            ("a  >  b {\n  color: red;\n}\n", "a > b{color: red;}"),
            ("/* why */ a{b:c}/* d */", " a{b:c}"),
            ("a::before { content: \"/*  */ \\\" \" }", "a::before{content: \"/*  */ \\\" \"}"),
            ("a { width: calc(1px  +\n 2px) }", "a{width: calc(1px + 2px)}"),
            ("a :hover{}", "a :hover{}"),
            ("/* never ends", ""),
        ] {
            assert_eq!(minified(source), expected);
        }
    }
}
