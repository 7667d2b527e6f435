//! placeholder until the hooks stand
