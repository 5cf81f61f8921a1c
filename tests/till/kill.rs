//! Power cuts: `SIGKILL` at every write to the journal and at random moments. After `recover` the
//! books of till and bank agree, nothing is open, and nothing was charged twice. Every write has its
//! day (`fixture/sweep.rs`); with `PAYTILL_SWEEP=1` all are tried.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::fixture::{PACE, Pays, TestShop, disk_faults, in_lanes, scenario, sweep};
use paytill::payment::Status;
use paytill::simulator::{Api, Scenario};

const LANES: usize = 24;
/// How many shops share the operations of one case.
const SHOPS: u32 = 8;
const RANDOM_KILLS: u32 = 200;
/// More operations than any payment needs; the search ends with the first payment that survives.
const MOST_OPERATIONS: u32 = 400;

fn with_fault(mut command: Command, fault: &str) -> Command {
    command.env("LD_PRELOAD", disk_faults()).env("PAYTILL_FAULT", fault);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn was_killed(status: ExitStatus) -> bool {
    status.signal() == Some(9)
}

/// Kills payments at every [`SHOPS`]th operation on the journal from `first` on, until one
/// survives. Some recoveries are killed too. Returns the operation survived, and how many processes
/// were killed.
fn kill_at_operations(pays: Pays, name: &str, when: &str, first: u32) -> (u32, u32) {
    let mut operation = first;
    let (mut serial, mut killed) = (0, 0);
    let shop = pays.open(name);
    loop {
        assert!(operation < MOST_OPERATIONS, "{pays:?} {name} never ends");
        serial += 1;
        let mut pay = shop.faulty(&pays.command(name, serial), &format!("{when}:{operation}"));
        let status = pay.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        if operation.is_multiple_of(5) {
            let recover = shop.command(&["recover"]);
            let status = with_fault(recover, &format!("{when}:{}", operation / 5)).status();
            killed += u32::from(was_killed(status.unwrap()));
        }
        let recovered = shop.recover();
        assert_eq!(recovered.exit, 0, "{pays:?} {name} {when}:{operation} {recovered:?}");
        shop.assert_books_agree(true);
        if !was_killed(status) {
            return (operation, killed);
        }
        killed += 1;
        operation += SHOPS;
    }
}

#[test]
fn killed_at_every_write_to_the_journal_nothing_is_lost_or_doubled() {
    let (by_code, by_scan) = (Pays::ByCode, Pays::ByScan);
    let payments = [
        (by_code(Api::V2), "walks-away"),
        (by_code(Api::V2), "answer-lost"),
        (by_code(Api::V2), "password-7"),
        (by_code(Api::V2), "notenough"),
        (by_code(Api::V2), "ok"),
        (by_code(Api::V3), "answer-lost"),
        (by_scan(Api::V2), "ok"),
        (by_scan(Api::V2), "walks-away"),
        (by_scan(Api::V3), "answer-lost"),
        (by_scan(Api::V3), "pays-during-reversal"),
    ];
    let cases = payments
        .into_iter()
        .flat_map(|payment| [(payment, "before"), (payment, "after")])
        .flat_map(|(payment, when)| (1..=SHOPS).map(move |first| (payment, when, first)));
    let cases: Vec<((Pays, &str), &str, u32)> = sweep::share(cases, 7);
    let kills = AtomicU32::new(0);
    in_lanes(LANES, &cases, |((pays, name), when, first)| {
        let (survived, killed) = kill_at_operations(*pays, name, when, *first);
        assert!(survived > SHOPS, "{pays:?} {name} {when}: survived operation {survived}");
        kills.fetch_add(killed, Ordering::Relaxed);
    });
    println!("kill: {} at writes and syncs of the journal, 0 lost", kills.into_inner());
}

#[test]
fn killed_at_the_very_first_payment_of_a_new_journal_nothing_is_lost() {
    let operations: Vec<u32> = sweep::share(1..60, 3);
    let kills = AtomicU32::new(0);
    in_lanes(LANES, &operations, |operation| {
        let shop = TestShop::open(Some(scenario("ok")), PACE);
        let pay = shop.command(&["pay", "12.34", "--code", "130000000000000000"]);
        let status = with_fault(pay, &format!("before:{operation}")).status().unwrap();
        kills.fetch_add(u32::from(was_killed(status)), Ordering::Relaxed);
        let recovered = shop.recover();
        assert_eq!(recovered.exit, 0, "before:{operation} {recovered:?}");
        shop.assert_books_agree(true);
    });
    println!("kill: {} of the first payment of all, 0 lost", kills.into_inner());
}

#[test]
fn killed_at_random_moments_of_every_scenario_the_books_agree() {
    let ending: Vec<Scenario> = Scenario::all()
        .into_iter()
        .filter(|scenario| {
            scenario.expected().is_some_and(|expected| expected.status != Status::Attention)
        })
        .collect();
    let kills: Vec<u32> = sweep::share(0..RANDOM_KILLS, 4);
    in_lanes(LANES, &kills, |kill| {
        let mut random = fastrand::Rng::with_seed(u64::from(*kill));
        let scenario = ending[random.usize(..ending.len())];
        let shop = TestShop::open(Some(scenario), PACE);
        let story = format!("seed {kill}: {}", scenario.name());
        let mut process = shop
            .command(&["pay", "12.34", "--code", "130000000000000000"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Most of what can go wrong happens early.
        let longest = if random.bool() { 120_000 } else { 2_500_000 };
        // The delay itself is what is being varied; it waits for nothing.
        std::thread::sleep(Duration::from_micros(random.u64(..longest)));
        process.kill().unwrap();
        process.wait().unwrap();
        if random.u8(..3) == 0 {
            let recover = shop.command(&["recover"]);
            let operation = random.u32(1..40);
            with_fault(recover, &format!("before:{operation}")).status().unwrap();
        }
        let recovered = shop.recover();
        assert_eq!(recovered.exit, 0, "{story} {recovered:?}");
        shop.assert_books_agree(true);
    });
    println!("kill: {} at random moments, 0 lost", kills.len());
}
