//! A real PostgreSQL server of one's own: started, killed and started again at will.
//!
//! A cluster is made once (`initdb` takes seconds) and kept below `target`; a server starts on a copy of it in a third of
//! a second. So every test has one to itself and can do to it what it likes.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use tempfile::TempDir;

use super::redis::free_port;
use super::{eventually, files_below};

/// Long enough for a server to come up on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// The database, and the user that owns it.
const NAME: &str = "kiungo";
/// That user's password, where the server asks for one.
pub const PASSWORD: &str = "password-of-the-tests/0123456789";

/// A server on a port of 127.0.0.1, with an empty database owned by an ordinary user who is let in without a password. What
/// it commits survives its death, though not the machine's. Ended when dropped.
pub struct PostgresServer {
    dir: TempDir,
    port: u16,
    options: Vec<String>,
    child: Option<Child>,
}

impl PostgresServer {
    /// A fresh server that answers.
    pub async fn start() -> Self {
        Self::with(|_| Vec::new()).await
    }

    /// As [`PostgresServer::start`], after `change` changed its files and said with which options it is to run.
    pub async fn with(change: impl FnOnce(&Path) -> Vec<String>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let copied = Command::new("cp").arg("-a").args([&template(), &data]).status();
        assert!(copied.unwrap().success());
        let options = change(&data);
        give(dir.path(), &["-R"]);
        let mut server = Self {
            dir,
            port: free_port(),
            options,
            child: None,
        };
        server.restart().await;
        server
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of the database for the records.
    pub fn url(&self) -> String {
        Self::url_at(self.port)
    }

    /// The same by another way to the server.
    pub fn url_at(port: u16) -> String {
        format!("postgres://{NAME}@127.0.0.1:{port}/{NAME}")
    }

    /// The address by its Unix socket.
    pub fn socket_url(&self) -> String {
        let folder = self.dir.path().display().to_string().replace('/', "%2F");
        format!("postgres://{NAME}@{folder}:{}/{NAME}", self.port)
    }

    /// A connection of one's own, past everything that is tested.
    pub async fn raw(&self) -> PgConnection {
        self.try_raw(NAME).await.unwrap()
    }

    async fn try_raw(&self, user: &str) -> sqlx::Result<PgConnection> {
        let options = PgConnectOptions::new_without_pgpass()
            .socket(self.dir.path())
            .port(self.port)
            .username(user)
            .database(NAME)
            .ssl_mode(PgSslMode::Disable);
        PgConnection::connect_with(&options).await
    }

    /// What it was given and what it printed: our tables with their indexes, and its log. Its own tables are full of all
    /// kinds of words.
    pub fn files(&self) -> Vec<PathBuf> {
        /// The first number of a file that is not the server's own.
        const OURS: u32 = 16_384;
        let mut files = files_below(&self.dir.path().join("data/base"));
        files.retain(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            let number = name.split(['_', '.']).next().unwrap();
            number.parse::<u32>().is_ok_and(|number| number >= OURS)
        });
        files.push(self.log());
        files
    }

    /// Writes everything it still has in memory into those files.
    pub async fn flush(&self) {
        let mut raw = self.try_raw("postgres").await.unwrap();
        raw.execute("CHECKPOINT").await.unwrap();
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    /// Starts it on the same port and files, and waits until it answers.
    pub async fn restart(&mut self) {
        assert!(self.child.is_none(), "still running");
        let log = self.log();
        let child = as_server(&program("postgres"))
            .arg("-D")
            .arg(self.dir.path().join("data"))
            .arg("-k")
            .arg(self.dir.path())
            .args(["-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1"])
            .args([
                "-c",
                "fsync=off",
                "-c",
                "max_connections=200",
                "-c",
                "shared_buffers=16MB",
            ])
            .args(self.options.iter().flat_map(|option| ["-c", option]))
            .stderr(File::options().create(true).append(true).open(&log).unwrap())
            .spawn()
            .unwrap();
        self.child = Some(child);
        eventually(PATIENCE, async || {
            if let Some(status) = self.child.as_mut().unwrap().try_wait().unwrap() {
                panic!("postgres ended: {status}\n{}", fs::read_to_string(&log).unwrap());
            }
            self.try_raw(NAME).await.is_ok()
        })
        .await;
    }

    /// Takes no writes from now on: it has been demoted to a standby, as an old primary is after a failover.
    pub async fn demote(&mut self) {
        let mut child = self.child.take().unwrap();
        signal("-INT", &[&child.id().to_string()]);
        child.wait().unwrap();
        let mark = self.dir.path().join("data/standby.signal");
        File::create(&mark).unwrap();
        give(&mark, &[]);
        self.restart().await;
    }

    /// Makes a standby the primary.
    pub async fn promote(&self) {
        let mut raw = self.try_raw("postgres").await.unwrap();
        raw.execute("SELECT pg_promote()").await.unwrap();
    }

    /// Whether transactions are read-only from now on, by its setting.
    pub async fn set_read_only(&self, on: bool) {
        let mut raw = self.try_raw("postgres").await.unwrap();
        // Even this is a write.
        raw.execute("SET default_transaction_read_only = off").await.unwrap();
        let setting = format!("ALTER SYSTEM SET default_transaction_read_only = {on}");
        raw.execute(AssertSqlSafe(setting)).await.unwrap();
        raw.execute("SELECT pg_reload_conf()").await.unwrap();
    }

    /// Ends it as a crash does, all of its processes at once.
    pub async fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        let pid = child.id();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        signal("-KILL", &[&pid.to_string()]);
        child.wait().unwrap();
        for child in children.split_whitespace() {
            // One may have noticed by itself that it is alone; none is there for long, and its successor wants its memory.
            let _ = Command::new("kill")
                .args(["-KILL", child])
                .stderr(Stdio::null())
                .status();
            let process = PathBuf::from(format!("/proc/{child}"));
            eventually(PATIENCE, async || !process.exists()).await;
        }
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Unlike a kill, this makes it give its shared memory back.
            signal("-QUIT", &[&child.id().to_string()]);
            let _ = child.wait();
        }
    }
}

fn signal(signal: &str, processes: &[&str]) {
    let status = Command::new("kill").arg(signal).args(processes).status();
    assert!(status.unwrap().success());
}

/// A cluster with our user and database, made when it is not there yet; anyone who else wants it waits.
fn template() -> PathBuf {
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(kept).unwrap();
    let lock = File::create(kept.join("postgres.lock")).unwrap();
    lock.lock().unwrap();
    let version = program("postgres")
        .ancestors()
        .nth(2)
        .unwrap()
        .file_name()
        .unwrap()
        .to_owned();
    let template = kept.join(format!("postgres-{}", version.display()));
    if template.exists() {
        return template;
    }
    let dir = tempfile::tempdir().unwrap();
    give(dir.path(), &[]);
    let data = dir.path().join("data");
    let made = as_server(&program("initdb"))
        .arg("-D")
        .arg(&data)
        .args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"])
        .arg("--wal-segsize=1")
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let mut single = as_server(&program("postgres"))
        .args(["--single", "-D"])
        .arg(&data)
        .arg("template1")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let statements = format!(
        "CREATE ROLE {NAME} LOGIN PASSWORD '{PASSWORD}'\nALTER DATABASE postgres RENAME TO {NAME}\n\
         ALTER DATABASE {NAME} OWNER TO {NAME}\n"
    );
    single.stdin.take().unwrap().write_all(statements.as_bytes()).unwrap();
    assert!(single.wait().unwrap().success());
    // The name appears only when all is there.
    let part = template.with_extension("part");
    let copied = Command::new("cp").arg("-a").args([&data, &part]).status();
    assert!(copied.unwrap().success());
    fs::rename(&part, &template).unwrap();
    template
}

/// The newest one that is installed.
fn program(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed");
    let number = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = versions.map(|entry| entry.unwrap().path()).max_by_key(number);
    newest.unwrap().join("bin").join(name)
}

/// A command run by the user that may run servers: PostgreSQL refuses to be run by root.
fn as_server(program: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .current_dir("/");
    if let Some((user, group)) = other_user() {
        command.uid(user).gid(group);
    }
    command
}

/// Makes that user the owner.
fn give(path: &Path, how: &[&str]) {
    if let Some((user, group)) = other_user() {
        let owner = format!("{user}:{group}");
        let given = Command::new("chown").args(how).arg(owner).arg(path).status();
        assert!(given.unwrap().success());
    }
}

/// Somebody else than root, when we are root.
fn other_user() -> Option<(u32, u32)> {
    let own = fs::read_to_string("/proc/self/status").unwrap();
    let uid = own.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap();
    if uid.split_whitespace().nth(1) != Some("0") {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let fields = |line: &str| -> Option<(u32, u32)> {
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    let find = |name: &str| users.lines().find(|line| line.starts_with(name)).and_then(fields);
    find("postgres:").or_else(|| find("nobody:"))
}
