//! The pretend Zoom as a program: starts it and prints what a server needs to connect.

use std::io::Write;
use std::net::SocketAddr;

use anyhow::Context;
use chrono::TimeDelta;
use clap::{Parser, ValueEnum};
use tracing_subscriber::EnvFilter;
use zoom_sim::{Pace, RateLimits, Sim, SimConfig, WebhookTarget};

/// A pretend Zoom on the loopback interface.
#[derive(Debug, Parser)]
struct Options {
    /// Where to listen; loopback addresses only.
    #[arg(long, default_value = "127.0.0.1:9090")]
    listen: SocketAddr,
    /// Which account to pretend.
    #[arg(long, value_enum, default_value = "demo")]
    preset: Preset,
    /// Decides everything that chance decides.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// How many times as fast as real time, 1 to 10000.
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    /// Factor on all call rates.
    #[arg(long, default_value_t = 1.0)]
    load: f64,
    /// Minutes the account has already played at the start; the preset decides without it.
    #[arg(long)]
    warm_up_minutes: Option<i64>,
    /// Also deliver by webhook to this loopback URL.
    #[arg(long)]
    webhook_url: Option<String>,
    /// Apply REST rate limits of a plan.
    #[arg(long, value_enum)]
    rate_limits: Option<Plan>,
    /// Life of tokens in seconds, as told to clients and as kept.
    #[arg(long, default_value_t = 3600)]
    token_seconds: u64,
    /// Queues of the bench preset.
    #[arg(long, default_value_t = 500)]
    queues: usize,
    /// People of the bench preset.
    #[arg(long, default_value_t = 10_000)]
    people: usize,
    /// Events per second of the bench preset.
    #[arg(long, default_value_t = 250.0)]
    events_per_second: f64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Preset {
    /// Six queues, 24 people, lively.
    Demo,
    /// The demo's people on an ordinary business day.
    Office,
    /// Two queues, five people, calm.
    Small,
    /// Generated to size.
    Bench,
    /// No traffic.
    Quiet,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Plan {
    Pro,
    Business,
}

impl Options {
    fn config(self) -> SimConfig {
        let mut config = match self.preset {
            Preset::Demo => SimConfig::demo(),
            Preset::Office => SimConfig::office(),
            Preset::Small => SimConfig::small(),
            Preset::Bench => SimConfig::bench(self.queues, self.people, self.events_per_second),
            Preset::Quiet => SimConfig::quiet(),
        };
        config.listen = self.listen;
        config.seed = self.seed;
        config.pace = Pace::Scaled(self.scale);
        config.token_lifetime = std::time::Duration::from_secs(self.token_seconds);
        config.webhook = self.webhook_url.map(|url| WebhookTarget { url, retry_scale: self.scale });
        config.rate_limits = self.rate_limits.map(|plan| match plan {
            Plan::Pro => RateLimits::PRO,
            Plan::Business => RateLimits::BUSINESS,
        });
        if let Some(minutes) = self.warm_up_minutes {
            config.warm_up = TimeDelta::minutes(minutes);
        }
        if let Some(traffic) = &mut config.traffic {
            traffic.load = self.load;
        }
        config
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let sim = Sim::start(Options::parse().config()).await?;
    let credentials = sim.credentials();
    let lines = [
        ("ZOOM_OAUTH_URL", sim.oauth_url()),
        ("ZOOM_API_URL", sim.api_url()),
        ("ZOOM_WS_URL", sim.ws_url()),
        ("ZOOM_ACCOUNT_ID", credentials.account_id.clone()),
        ("ZOOM_CLIENT_ID", credentials.client_id.clone()),
        ("ZOOM_CLIENT_SECRET", credentials.client_secret.clone()),
        ("ZOOM_WS_SUBSCRIPTION_ID", credentials.subscription_id.clone()),
        ("ZOOM_WEBHOOK_SECRET_TOKEN", credentials.webhook_secret.clone()),
    ];
    let mut out = std::io::stdout().lock();
    for (name, value) in lines {
        writeln!(out, "export {name}={value}").context("could not print the settings")?;
    }
    out.flush().context("could not print the settings")?;
    drop(out);
    tokio::signal::ctrl_c().await.context("could not wait for the interrupt signal")?;
    sim.stop().await;
    Ok(())
}
