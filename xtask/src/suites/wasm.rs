//! Suite `wasm`: the tests of the client, and of its hooks for Yew, in a headless browser, against
//! a live server; and the npm package is no larger than it may be.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{LIMIT, passed_in_rust};
use crate::{
    live_server::LiveServer,
    process::{run_counting, say},
    products::size::check_npm_package,
    workshop::Workshop,
};

pub(super) fn run(workshop: &Workshop) -> Result<()> {
    let crates = [workshop.workspace.sdk(), workshop.workspace.yew_hooks()];
    check_npm_package(&workshop.workspace.sdk_package())?;
    let webdriver = webdriver_settings(workshop)?;
    let server = LiveServer::start(workshop)?;
    say(&format!("the server for the browser is {}", server.bus_url()));
    crates.iter().try_for_each(|folder| test(workshop, folder, &webdriver, &server))
}

fn test(workshop: &Workshop, folder: &Path, webdriver: &Path, server: &LiveServer) -> Result<()> {
    let mut wasm_pack = workshop.wasm_command("wasm-pack");
    wasm_pack
        .args(["--log-level", "error", "test", "--headless", "--chrome"])
        .args(["--mode", "no-install"])
        .arg(folder)
        // No examples of the documentation: those run natively.
        .args(["--lib", "--test", "*"])
        .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", webdriver)
        .env("WASM_BINDGEN_TEST_TIMEOUT", "120")
        .env("TROLLEYBUS_TEST_URL", server.bus_url());
    let passed = run_counting(&mut wasm_pack, LIMIT, passed_in_rust)
        .inspect_err(|_| say(&format!("the server logged at last:\n{}", server.logged())))?;
    ensure!(passed > 0, "no test of {} ran in the browser", folder.display());
    Ok(())
}

/// The driver's settings of the repository, with the browser of this machine.
fn webdriver_settings(workshop: &Workshop) -> Result<PathBuf> {
    let source = workshop.workspace.sdk().join("webdriver.json");
    let text = fs::read(&source).with_context(|| format!("cannot read {}", source.display()))?;
    let mut settings: Value = serde_json::from_slice(&text)
        .with_context(|| format!("cannot parse {}", source.display()))?;
    settings["goog:chromeOptions"]["binary"] = json!(workshop.tools.chromium());
    let path = workshop.workspace.target().join("webdriver.json");
    fs::write(&path, settings.to_string())
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}
