//! The demo: a pretend Zoom in the same process, spoken to over real loopback sockets like any
//! other, and a configuration that points there.
//!
//! Its data folder is thrown away, unless `CALLBOARD_DATA_DIR` names one; there the next demo begins anew.

use std::{io, time::Duration};

use tempfile::TempDir;

use zoom_sim::{Pace, Sim, SimConfig};

use crate::config::{self, Config, ConfigErrors};

/// A running demo world; dropping it takes its data along.
#[derive(Debug)]
pub struct Demo {
    sim: Sim,
    _data: Option<TempDir>,
}

/// Why the demo could not start.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The environment's own settings are wrong.
    #[error("use the configuration:\n{0}")]
    Config(ConfigErrors),
    /// No folder for throw-away data.
    #[error("make a folder for the demo's data; set CALLBOARD_DATA_DIR to one")]
    Folder(#[source] io::Error),
    /// The pretend Zoom did not start.
    #[error("start the pretend Zoom: {0}")]
    Sim(String),
}

/// How often a demo's record is read.
const RECORD_EVERY: Duration = Duration::from_secs(30);

/// The zone of most of the demo's people.
const ZONE: &str = "Europe/Berlin";

impl Demo {
    /// Starts the pretend Zoom and makes the configuration of a server on it. The `CALLBOARD_…`
    /// settings of the environment count, those about Zoom do not.
    ///
    /// # Errors
    ///
    /// When the environment's settings are wrong, or the pretend Zoom cannot listen.
    pub async fn start(seed: u64) -> Result<(Self, Config), DemoError> {
        let sim_config = SimConfig {
            seed,
            // Events that ran ahead of the clock would not be believed.
            pace: Pace::Scaled(1.0),
            // A board that begins with an empty day shows little.
            tells_the_past: true,
            ..SimConfig::demo()
        };
        let credentials = sim_config.credentials.clone();
        let sim = Sim::start(sim_config).await.map_err(|error| DemoError::Sim(format!("{error:#}")))?;
        let urls = [sim.oauth_url(), sim.api_url(), sim.ws_url()];
        let [oauth_url, api_url, ws_url] = urls;
        let mut data = None;
        let environment = config::process_environment;
        let given_folder = environment("CALLBOARD_DATA_DIR").filter(|folder| !folder.trim().is_empty());
        let folder = match given_folder {
            Some(folder) => folder,
            None => {
                let made = tempfile::Builder::new()
                    .prefix("callboard-demo-")
                    .tempdir()
                    .map_err(DemoError::Folder)?;
                let path = made.path().to_string_lossy().into_owned();
                data = Some(made);
                path
            }
        };
        let settings = |name: &str| match name {
            "ZOOM_ACCOUNT_ID" => Some(credentials.account_id.clone()),
            "ZOOM_CLIENT_ID" => Some(credentials.client_id.clone()),
            "ZOOM_CLIENT_SECRET" => Some(credentials.client_secret.clone()),
            "ZOOM_WS_SUBSCRIPTION_ID" => Some(credentials.subscription_id.clone()),
            "ZOOM_WEBHOOK_SECRET_TOKEN" => Some(credentials.webhook_secret.clone()),
            "ZOOM_OAUTH_URL" => Some(oauth_url.clone()),
            "ZOOM_API_URL" => Some(api_url.clone()),
            "ZOOM_WS_URL" => Some(ws_url.clone()),
            "CALLBOARD_DATA_DIR" => Some(folder.clone()),
            // Nobody else asks this Zoom for anything.
            "ZOOM_API_SHARE" => Some("90".to_owned()),
            "CALLBOARD_TIME_ZONE" => environment(name).or_else(|| Some(ZONE.to_owned())),
            // A demo has little to say to a terminal.
            "CALLBOARD_LOG" => environment(name).or_else(|| Some("warn".to_owned())),
            name if name.starts_with("ZOOM_") => None,
            name => environment(name),
        };
        let mut config = Config::load(settings, None).map_err(DemoError::Config)?;
        // Who tries it out does not wait for minutes.
        config.zoom.timings.record_every = RECORD_EVERY;
        // Nor sees the earlier hours while they are told, or the service level slide while their record is read call
        // by call; and whoever looks back meets no half of them.
        config.told_before = sim.take_untold();
        config.written_before = sim.written().iter().map(ToString::to_string).collect();
        Ok((Self { sim, _data: data }, config))
    }

    /// Stops the pretend Zoom and throws the data away.
    pub async fn stop(self) {
        self.sim.stop().await;
    }
}

impl DemoError {
    /// The process's exit code for it.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) => 64,
            Self::Folder(_) | Self::Sim(_) => 1,
        }
    }
}
