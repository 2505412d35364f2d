//! `kiungo serve`: runs the server until it is told to stop, and reloads what can be reloaded while it runs.

use std::io::Write;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};

use super::commands::{CommandError, runtime};
use crate::app::limits::{open_file_limit, too_few_open_files};
use crate::app::{App, StartOptions};
use crate::config::sandbox::{API_PUBLISHABLE_KEY, API_SECRET_KEY};
use crate::config::{CallbackUrl, Config, ConfigErrors, LogLevel, Mode};
use crate::service::metrics::Metrics;
use crate::telemetry::{self, LevelSwitch};

/// Reads the configuration as it was read at the start.
pub(super) type ReadConfig<'a> = &'a dyn Fn() -> Result<Config, ConfigErrors>;

/// Serves until told to stop.
pub(super) fn serve(config: Config, read: ReadConfig<'_>, out: &mut dyn Write) -> Result<(), CommandError> {
    let metrics = Arc::new(Metrics::new());
    let switch = telemetry::init(config.log, metrics.log_lines_dropped())?;
    let mut reload = Reload::new(&config, read, switch);
    let sandbox = (config.mode == Mode::Sandbox).then(|| sandbox_greeting(&config));
    #[cfg(feature = "sandbox")]
    let crash_point = crate::sandbox::crash_hook(&config.sandbox);
    #[cfg(not(feature = "sandbox"))]
    let crash_point: crate::service::deps::CrashHook = Arc::new(|_| ());
    let options = StartOptions {
        metrics,
        crash_point,
        providers: Vec::new(),
    };
    let runtime = runtime()?;
    let (base, callbacks) = (config.public_base_url(), config.callback_urls());
    runtime.block_on(async {
        // From here on, so that none of them ends a server that is only starting.
        let mut terminate = signal(SignalKind::terminate())?;
        let mut quit = signal(SignalKind::quit())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        // What logs are rotated with elsewhere, and timers: they would end a process that does not ask for them.
        let _ignored = [
            signal(SignalKind::user_defined1())?,
            signal(SignalKind::user_defined2())?,
            signal(SignalKind::alarm())?,
        ];
        if let Some(warning) = too_few_open_files(open_file_limit()) {
            tracing::warn!("{warning}");
        }
        for warning in &config.warnings {
            tracing::warn!("{warning}");
        }
        let app = App::start(config, options).await?;
        tracing::info!(address = %app.address, "listening");
        log_callback_urls(&base.unwrap_or_else(|| app.url()), callbacks);
        if let Some(greeting) = sandbox {
            greet(&app, &greeting, out)?;
        }
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = quit.recv() => break,
                interrupted = tokio::signal::ctrl_c() => break interrupted?,
                _ = hang_up.recv() => reload.reload(&app),
            }
        }
        tracing::info!("shutting down: open turns are answered, submissions under way are completed");
        Ok(app.stop().await?)
    })
}

fn log_callback_urls(base: &str, callbacks: Vec<CallbackUrl>) {
    for CallbackUrl { channel, purpose, path } in callbacks {
        tracing::info!(
            channel,
            purpose,
            url = format!("{base}{path}"),
            "callback url configured"
        );
    }
}

fn greet(app: &App, greeting: &str, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{}", greeting.replace("{url}", &app.url()))?;
    for (name, stand_in) in &app.stand_ins {
        writeln!(
            out,
            "Its stand-in for {name} takes orders at http://{stand_in}/__stand-in/switches"
        )?;
    }
    out.flush()
}

/// What SIGHUP does: the configuration is read again, and what can change while people are in the middle of something
/// changes. The rest waits for a restart, and is said to.
struct Reload<'a> {
    read: ReadConfig<'a>,
    switch: LevelSwitch,
    /// In force now.
    level: LogLevel,
    /// As it was at the start.
    level_at_start: LogLevel,
    /// The configuration of the start, as it is shown.
    shown: String,
}

impl<'a> Reload<'a> {
    fn new(config: &Config, read: ReadConfig<'a>, switch: LevelSwitch) -> Self {
        Self {
            read,
            switch,
            level: config.log.level,
            level_at_start: config.log.level,
            shown: config.to_string(),
        }
    }

    /// Never ends the server: what cannot be read again stays as it is, and the log says so.
    fn reload(&mut self, app: &App) {
        let certificate = match app.reload_certificate() {
            None => "none of our own",
            Some(Ok(true)) => "replaced",
            Some(Ok(false)) => "unchanged",
            Some(Err(error)) => {
                tracing::error!(%error, "SIGHUP: the certificate stays as it is, the new one cannot be used");
                "kept"
            }
        };
        let menu = match app.reload_menu() {
            None => "built in",
            Some(Ok(true)) => "replaced",
            Some(Ok(false)) => "unchanged",
            Some(Err(error)) => {
                tracing::error!(%error, "SIGHUP: the menu's words stay as they are, the new ones cannot be used");
                "kept"
            }
        };
        let mut config = match (self.read)() {
            Ok(config) => config,
            Err(errors) => {
                tracing::error!(%errors, certificate, menu, "SIGHUP: the configuration stays as it is, the new one has faults");
                return;
            }
        };
        let before = std::mem::replace(&mut self.level, config.log.level);
        config.log.level = self.level_at_start;
        let restart_needed = config.to_string() != self.shown;
        // The line that tells of it is written whatever the level was and will be.
        let told = self.switch.set(LogLevel::Info).and_then(|()| {
            tracing::info!(
                level_before = before.as_str(),
                level = self.level.as_str(),
                certificate,
                menu,
                restart_needed,
                "SIGHUP: reloaded; other settings are read at a restart"
            );
            self.switch.set(self.level)
        });
        if let Err(error) = told {
            tracing::error!(%error, "SIGHUP: the log's level stays as it is");
        }
    }
}

/// What a newcomer needs to know.
fn sandbox_greeting(config: &Config) -> String {
    let code = config
        .channels
        .first()
        .map_or("", |channel| channel.service_code.as_str());
    let (partner, secret, publishable) = (
        crate::app::partner_id(&config.partner.name),
        API_SECRET_KEY,
        API_PUBLISHABLE_KEY,
    );
    format!(
        "\nKiungo SANDBOX: nothing here is real, and nothing leaves this machine.\n\n  \
         Phone     {{url}}/phone     dial {code}\n  \
         Terminal  kiungo phone\n  \
         API       {{url}}/v1\n            \
         client_id        {partner}\n            \
         client_secret    {secret}\n            \
         publishable key  {publishable}\n\n\
         Stop with Ctrl-C. To go live, see README.md."
    )
}
