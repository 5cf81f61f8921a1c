//! `paytill simulator`: the simulated gateway on its own, for integrators and tests.

use super::output::{say, tell};
use super::{Exit, Failure};
use crate::cli::Simulator;
use crate::simulator::{Bank, Identity, Scenario, Script, Server};
use paytill_host::clock::Clock;

/// Serves until it is told to stop, and prints what it is sent; at the end, its ledger.
pub async fn run(simulator: Simulator, clock: &Clock) -> Result<Exit, Failure> {
    if simulator.scenario.as_deref() == Some("list") {
        list();
        return Ok(Exit::Done);
    }
    let scenario = simulator.scenario.as_deref().map(scenario).transpose()?;
    let fault = |error: &dyn std::fmt::Display| Failure::new(Exit::Fault, error);
    let identity = match &simulator.write_config {
        Some(folder) => Identity::load_or_generate(folder),
        None => Identity::generate(),
    };
    let identity = identity.map_err(|error| fault(&error))?;
    let script = Script { scenario, ..Script::default() };
    let bank = Bank::new(identity.account(), script, simulator.seed, clock.wall());
    let log = Box::new(|at: crate::clock::Millis, line: &str| {
        say(&format!("{:>7}.{:03}  {line}", at.0 / 1000, at.0 % 1000));
    });
    let server = Server::start(simulator.listen, &identity, bank, Some(log), 1)
        .await
        .map_err(|error| fault(&error))?;
    if let Some(folder) = &simulator.write_config {
        identity.write(folder, server.local_addr()).map_err(|error| fault(&error))?;
        tell(&format!("configuration: {}", folder.join("paytill.toml").display()));
    }
    say(&format!("https://{}", server.local_addr()));
    stopped().await;
    for entry in server.bank().ledger() {
        say(&format!(
            "{}  {:?}  charged {}  returned {}  {}",
            entry.out_trade_no,
            entry.standing,
            entry.charged.minor(),
            entry.returned.minor(),
            entry.scenario.name(),
        ));
    }
    Ok(Exit::Done)
}

fn scenario(name: &str) -> Result<Scenario, Failure> {
    Scenario::from_name(name).ok_or_else(|| {
        let name = crate::clean::clean(name, 40);
        let sentence = format!("{name} is no scenario; `--scenario list` prints all names");
        Failure::new(Exit::Usage, sentence)
    })
}

fn list() {
    for scenario in Scenario::all() {
        say(&format!(
            "{}  {:<28}  {}",
            scenario.last_digits(),
            scenario.name(),
            scenario.summary()
        ));
    }
}

/// Waits for somebody to end it.
async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminated) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
}
