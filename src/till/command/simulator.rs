//! `paytill simulator`: the simulated gateway on its own, for integrators and tests.

use super::output::{print_line, print_message};
use super::{Exit, Failure};
use crate::cli::Simulator;
use crate::language::Language;
use crate::simulator::{Identity, IdentityError, Scenario, Script, Server};
use crate::{both, say, text};
use paytill_host::clock::Clock;

/// Serves until a signal ends it, printing each request, and finally its ledger. Requests and
/// answers are printed in the protocol's own words.
pub async fn run(simulator: Simulator, language: Language, clock: &Clock) -> Result<Exit, Failure> {
    if simulator.scenario.as_deref() == Some("list") {
        list(language);
        return Ok(Exit::Done);
    }
    let scenario = simulator.scenario.as_deref().map(scenario).transpose()?;
    let no_identity = |error| Failure::new(Exit::Fault, text::failure::identity(&error));
    let identity = match &simulator.write_config {
        Some(folder) => Identity::load_or_generate(folder),
        None => Identity::generate(),
    };
    let identity = identity.and_then(Identity::with_v3).map_err(no_identity)?;
    let script = Script { scenario, notices: simulator.notices, ..Script::default() };
    let mut bank = identity.bank(script, simulator.seed, clock.wall());
    if let Some(keys) = bank.v3_keys().filter(|_| simulator.rotate_after.is_some()) {
        keys.prepare().map_err(|error| no_identity(error.into()))?;
    }
    let log = Box::new(|at: crate::clock::Millis, line: &str| {
        print_line(&format!("{:>7}.{:03}  {line}", at.0 / 1000, at.0 % 1000));
    });
    let server = Server::start(simulator.listen, &identity, bank, Some(log), 1)
        .await
        .map_err(|error| Failure::new(Exit::Fault, text::failure::server(&error)))?;
    if let Some(path) = &simulator.notify_ca {
        let file = |cause| IdentityError::File { path: path.clone(), cause };
        let root = std::fs::read_to_string(path).map_err(file);
        let trusts = root.and_then(|root| server.trust_receivers_of(&root));
        trusts.map_err(no_identity)?;
    }
    if let Some(folder) = &simulator.write_config {
        let written = identity.write_for(simulator.kind, folder, server.local_addr());
        written.map_err(no_identity)?;
        let file = folder.join("paytill.toml");
        print_message(&say!(
            language,
            "configuration: {file}",
            "配置文件：{file}",
            file = file.display()
        ));
    }
    print_line(&format!("https://{}", server.local_addr()));
    tokio::select! {
        () = stopped() => {}
        () = rotated(&server, simulator.rotate_after) => {}
    }
    for entry in server.bank().ledger() {
        let (number, standing, scenario) =
            (&entry.out_trade_no, entry.status, entry.scenario.name());
        let (charged, returned) = (entry.charged.minor(), entry.returned.minor());
        print_line(&say!(
            language,
            "{number}  {standing:?}  charged {charged}  returned {returned}  {scenario}",
            "{number}  {standing:?}  扣款 {charged}  退回 {returned}  {scenario}"
        ));
    }
    Ok(Exit::Done)
}

fn scenario(name: &str) -> Result<Scenario, Failure> {
    Scenario::from_name(name).ok_or_else(|| {
        let name = crate::clean::clean(name, 40);
        let sentence = both!(
            "{name} is no scenario; `--scenario list` prints all names",
            "没有名为 {name} 的情景；用 --scenario list 列出全部名称"
        );
        Failure::new(Exit::Usage, sentence)
    })
}

fn list(language: Language) {
    for scenario in Scenario::all() {
        print_line(&format!(
            "{}  {:<28}  {}",
            scenario.last_digits(),
            scenario.name(),
            text::scenario::summary(scenario, language)
        ));
    }
}

/// Lets another platform certificate sign, when its time has come. It never ends.
async fn rotated(server: &Server, after: Option<u64>) {
    if let Some(seconds) = after {
        tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
        if let Some(keys) = server.bank().v3_keys()
            && keys.rotate().is_ok()
        {
            print_line("another platform certificate signs");
        }
    }
    std::future::pending::<()>().await;
}

/// Waits for a signal to end the process.
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
