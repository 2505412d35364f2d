//! What is wrong with the setup of a store, in words for the operator.

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; nothing has to be done.
    Note,
    /// Works, but people will notice some day.
    Warning,
    /// Must be fixed before people depend on it.
    Error,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetupFinding {
    pub level: Severity,
    /// What is wrong and what to do. Contains no address and no secret.
    pub text: String,
}

impl SetupFinding {
    pub(super) fn new(level: Severity, text: impl Into<String>) -> Self {
        Self {
            level,
            text: text.into(),
        }
    }
}

/// The settings of a Redis server; `None` where it does not let us look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RedisSettings {
    /// `maxmemory-policy`: what the server deletes when it is full.
    pub policy: Option<String>,
    /// `appendonly`: whether writes survive a restart.
    pub append_only: Option<bool>,
    /// Whether it is a replica, which takes no writes.
    pub replica: Option<bool>,
    /// Whether it is one node of a cluster, which answers for some keys only.
    pub cluster: Option<bool>,
}

impl RedisSettings {
    /// Fills in what is unknown from the answer to `INFO`: lines of `name:value`.
    pub fn complete_from_info(&mut self, info: &str) {
        for (name, value) in info.lines().filter_map(|line| line.trim_end().split_once(':')) {
            match name {
                "maxmemory_policy" => {
                    self.policy.get_or_insert_with(|| value.to_owned());
                }
                "aof_enabled" => {
                    self.append_only.get_or_insert(value == "1");
                }
                "role" => {
                    self.replica.get_or_insert(value != "master");
                }
                "cluster_enabled" => {
                    self.cluster.get_or_insert(value == "1");
                }
                _ => {}
            }
        }
    }

    /// What the operator should know about these settings.
    pub fn findings(&self) -> Vec<SetupFinding> {
        let mut findings = Vec::new();
        match self.policy.as_deref() {
            Some("noeviction") => {}
            Some(policy) => findings.push(SetupFinding::new(
                Severity::Error,
                format!(
                    "Redis has maxmemory-policy {policy:?}: when it is full it deletes dialogs at random. Set noeviction"
                ),
            )),
            None => findings.push(SetupFinding::new(
                Severity::Note,
                "Redis does not tell its maxmemory-policy: make sure that it is noeviction",
            )),
        }
        match self.append_only {
            Some(true) => {}
            Some(false) => findings.push(SetupFinding::new(
                Severity::Warning,
                "Redis has appendonly off: a restart of Redis ends every dialog and people have to start again. Set it to yes",
            )),
            None => findings.push(SetupFinding::new(
                Severity::Note,
                "Redis does not tell whether appendonly is on: make sure that it is",
            )),
        }
        if self.replica == Some(true) {
            findings.push(SetupFinding::new(
                Severity::Error,
                "Redis is a replica and takes no writes: give the address of the primary",
            ));
        }
        if self.cluster == Some(true) {
            findings.push(SetupFinding::new(
                Severity::Error,
                "Redis is one node of a cluster and keeps some keys only: give the address of a single server",
            ));
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every setting that matters is reported with its severity, and a good server gets no findings.
    #[test]
    fn bad_settings_are_reported() {
        type Row = (&'static str, String, &'static [(Severity, &'static str)]);
        let good = "role:master\r\ncluster_enabled:0\r\naof_enabled:1\r\nmaxmemory_policy:noeviction\r\n";
        let rows: [Row; 6] = [
            ("good", good.to_owned(), &[]),
            (
                "evicts",
                good.replace("noeviction", "allkeys-lru"),
                &[(Severity::Error, "allkeys-lru")],
            ),
            (
                "no log",
                good.replace("aof_enabled:1", "aof_enabled:0"),
                &[(Severity::Warning, "appendonly")],
            ),
            (
                "replica",
                good.replace("master", "slave"),
                &[(Severity::Error, "replica")],
            ),
            (
                "cluster",
                good.replace("cluster_enabled:0", "cluster_enabled:1"),
                &[(Severity::Error, "cluster")],
            ),
            (
                "silent",
                String::new(),
                &[(Severity::Note, "maxmemory-policy"), (Severity::Note, "appendonly")],
            ),
        ];
        for (name, info, expected) in rows {
            let mut settings = RedisSettings::default();
            settings.complete_from_info(&info);
            let findings = settings.findings();
            assert_eq!(findings.len(), expected.len(), "{name}: {findings:?}");
            for (finding, (level, word)) in findings.iter().zip(expected) {
                assert_eq!(finding.level, *level, "{name}");
                assert!(finding.text.contains(word), "{name}: {}", finding.text);
            }
        }
    }

    /// INFO does not override what CONFIG says.
    #[test]
    fn info_fills_gaps_only() {
        let mut settings = RedisSettings {
            policy: Some("noeviction".to_owned()),
            ..RedisSettings::default()
        };
        settings.complete_from_info("maxmemory_policy:allkeys-lru\nrole:master\n");
        assert_eq!(settings.policy.as_deref(), Some("noeviction"));
        assert_eq!(settings.replica, Some(false));
    }
}
