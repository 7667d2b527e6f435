//! Where things are in the workspace.

use std::{
    env,
    path::{Path, PathBuf},
};

/// The paths of one checkout.
#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// The checkout that this xtask belongs to.
    pub(crate) fn find() -> Self {
        let manifest =
            env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&manifest)
            .parent()
            .expect("invariant: xtask is a folder of the workspace")
            .to_path_buf();
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(target) => root.join(target),
            None => root.join("target"),
        };
        Self { root, target }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    pub(crate) fn lock_file(&self) -> PathBuf {
        self.root.join("Cargo.lock")
    }

    pub(crate) fn sdk(&self) -> PathBuf {
        self.root.join("client-sdk")
    }

    /// The crate behind the npm package.
    pub(crate) fn npm(&self) -> PathBuf {
        self.sdk().join("npm")
    }

    /// The client's hooks for Yew.
    pub(crate) fn yew_hooks(&self) -> PathBuf {
        self.sdk().join("yew")
    }

    pub(crate) fn ui(&self) -> PathBuf {
        self.root.join("ui")
    }

    pub(crate) fn tests(&self) -> PathBuf {
        self.root.join("tests")
    }

    /// What the bundlers and frameworks are, by name and version.
    pub(crate) fn bundlers(&self) -> PathBuf {
        self.tests().join("packages")
    }

    /// Where bundlers and frameworks are installed, and projects built with them.
    pub(crate) fn installed_bundlers(&self) -> PathBuf {
        self.target.join("packages")
    }

    /// The fuzz targets.
    pub(crate) fn fuzz(&self) -> PathBuf {
        self.tests().join("fuzz")
    }

    /// The examples; those in Rust are a workspace of their own.
    pub(crate) fn examples(&self) -> PathBuf {
        self.root.join("examples")
    }

    /// The built examples in Rust.
    pub(crate) fn rust_examples(&self) -> PathBuf {
        self.target.join("rust-examples")
    }

    /// The files of the site that are not built.
    pub(crate) fn site_sources(&self) -> PathBuf {
        self.root.join("www")
    }

    /// The assembled site.
    pub(crate) fn site(&self) -> PathBuf {
        self.target.join("www")
    }

    /// The built npm package.
    pub(crate) fn sdk_package(&self) -> PathBuf {
        self.npm().join("pkg")
    }

    /// The built UI, without its static files.
    pub(crate) fn ui_package(&self) -> PathBuf {
        self.target.join("ui-pkg")
    }

    pub(crate) fn server_binary(&self) -> PathBuf {
        self.target.join("release/trolleybus")
    }

    /// The peers of `versus` that are written in Rust.
    pub(crate) fn rust_peers(&self) -> PathBuf {
        self.tests().join("versus/peers/rust")
    }

    /// What is built or fetched for the peers of `versus`.
    pub(crate) fn peers_target(&self) -> PathBuf {
        self.target.join("versus")
    }

    pub(crate) fn sockjs_test_server(&self) -> PathBuf {
        self.target.join("release/examples/sockjs_test_server")
    }
}
