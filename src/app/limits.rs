//! What the process sets of itself before anything else: no core files, and as many open files as it may have.

use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};

/// The fewest open files with which a server can do what it promises: connections of gateways, partners and people, ours to
/// providers, gateways and webhook receivers, and what it stands on (listener, database, store, log, files).
pub const NEEDED_OPEN_FILES: u64 = 4096;

/// Forbids core files of this process, and that others of the same user look into its memory: it may hold what somebody has
/// just typed. The limit is for core files written here, the other for those piped to a program, whatever the machine says.
pub fn forbid_core_files() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    // Neither is refused to a process about itself; if one were, the other still holds.
    let _ = setrlimit(Resource::Core, none);
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}

/// Raises the limit of open files to what this process may have.
pub fn raise_open_files() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let all = Rlimit {
        current: maximum,
        maximum,
    };
    // Where it is refused the old limit stays, and what follows looks at that.
    let _ = setrlimit(Resource::Nofile, all);
}

/// How many files and connections this process may have open now.
pub fn open_file_limit() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// What to say of a limit that is too low; nothing when it is enough.
pub fn too_few_open_files(limit: u64) -> Option<String> {
    (limit < NEEDED_OPEN_FILES).then(|| {
        format!(
            "this process may have {limit} open files and connections, and needs {NEEDED_OPEN_FILES}: raise its hard limit \
             (ulimit -Hn, LimitNOFILE in systemd, ulimits in a container)"
        )
    })
}
