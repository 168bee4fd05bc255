//! Which rules run, and how severe they are: profile, `--select`, `--ignore`, `--severity`.
