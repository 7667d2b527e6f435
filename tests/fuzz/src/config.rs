//! Configuration files.

use trolleybus::app::Config;

/// What is read and makes sense is written and read the same; nothing panics.
pub(crate) fn config(data: &[u8]) {
    let Some(text) = crate::text(data) else { return };
    let Ok(config) = toml::from_str::<Config>(text) else { return };
    if config.validate().is_err() {
        return;
    }
    let written = toml::to_string(&config).expect("what was read can be written");
    assert_eq!(toml::from_str::<Config>(&written).as_ref(), Ok(&config), "{written}");
}
