//! The API reference of the site: TypeDoc over the type declarations of the npm package.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};

use crate::{process::run_captured, workshop::Workshop};

/// Where the script goes that TypeDoc writes into its pages.
const FIRST_SCRIPT: &str = "assets/first.js";

/// Writes the reference into `folder`.
pub(super) fn build(workshop: &Workshop, folder: &Path) -> Result<()> {
    let mut typedoc = workshop.command("typedoc");
    typedoc
        .args(["--options", "typedoc.json", "--out"])
        .arg(folder)
        .current_dir(workshop.workspace.npm());
    run_captured(&mut typedoc).context("the API reference could not be made")?;
    let script = take_scripts_out(folder)?;
    ensure!(!script.is_empty(), "the pages of TypeDoc look different; see {}", file!());
    fs::write(folder.join(FIRST_SCRIPT), script)?;
    Ok(())
}

/// Our content security policy runs no script that stands in a page. Gives what stood there.
fn take_scripts_out(folder: &Path) -> Result<String> {
    let mut taken = String::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            let below = take_scripts_out(&path)?;
            taken = if below.is_empty() { taken } else { below };
        } else if path.extension().is_some_and(|extension| extension == "html") {
            let page = fs::read_to_string(&path)?;
            if let Some((changed, script)) = without_script(&page) {
                fs::write(&path, changed)
                    .with_context(|| format!("cannot write {}", path.display()))?;
                script.clone_into(&mut taken);
            }
        }
    }
    Ok(taken)
}

/// The page with its first inline script in a file, and that script.
fn without_script(page: &str) -> Option<(String, &str)> {
    let (before, rest) = page.split_once("<script>")?;
    let (script, behind) = rest.split_once("</script>")?;
    let (_, base) = page.split_once("data-base=\"")?;
    let (base, _) = base.split_once('"')?;
    let tag = format!("<script src=\"{base}{FIRST_SCRIPT}\"></script>");
    Some(([before, &tag, behind].concat(), script))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inline_script_moves_into_a_file() {
        let page = r#"<html data-base="../"><body><script>go()</script><p></body></html>"#;
        let (changed, script) = without_script(page).unwrap();
        assert_eq!(script, "go()");
        assert!(changed.contains(r#"<body><script src="../assets/first.js"></script><p>"#));
        assert!(without_script(&changed).is_none());
    }
}
