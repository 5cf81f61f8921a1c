//! `scripts/simulate`: plays seeds on all processors until a number of sales is reached, or tells
//! the story of one seed.
#![allow(clippy::unwrap_used, reason = "what does not hold ends here")]
#![allow(unreachable_pub, reason = "the modules of one program")]

mod auditor;
mod invariants;
mod keys;
mod plan;
mod screen;
mod shorten;
mod world;

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use clap::Parser;
use paytill::payment::Status;
use plan::Plan;
use world::{Counts, play};

/// Plays the till against the simulated bank, network, disk and people.
#[derive(Parser)]
#[command(name = "simulate")]
struct Arguments {
    /// Play seeds until this many sales were made
    #[arg(long, default_value_t = 100_000)]
    sales: u64,
    /// Tell the story of one seed
    #[arg(long)]
    seed: Option<u64>,
    /// Leave these out: names of troubles, `sale N`, `actions N`, separated by commas
    #[arg(long, value_delimiter = ',')]
    without: Vec<String>,
    /// Play this in every seed: `backend`, a merchant's backend between till and bank
    #[arg(long, value_parser = ["backend"])]
    with: Option<String>,
    /// The first seed; random by default
    #[arg(long)]
    from: Option<u64>,
    /// Threads; one per processor by default
    #[arg(long)]
    threads: Option<usize>,
}

fn main() -> ExitCode {
    // A panic is reported as a violation.
    std::panic::set_hook(Box::new(|_| {}));
    let arguments = Arguments::parse();
    match arguments.seed {
        Some(seed) => tell(&arguments.plan(seed)),
        None => play_many(&arguments),
    }
}

impl Arguments {
    fn plan(&self, seed: u64) -> Plan {
        let without = self.without.iter().map(|part| part.trim().to_owned()).collect();
        Plan { without, is_behind: self.with.is_some(), ..Plan::of(seed) }
    }
}

fn tell(plan: &Plan) -> ExitCode {
    let told = play(plan, true);
    print!("{}", told.story);
    if let Some(violation) = told.violation {
        println!("VIOLATION {violation}");
        return ExitCode::FAILURE;
    }
    let ends: Vec<&str> = told.ends.into_iter().map(Status::word).collect();
    println!("all as it should be: {} sales, {}", told.counts.sales, ends.join(", "));
    ExitCode::SUCCESS
}

/// What was played, in numbers.
fn played(counts: &Counts) -> String {
    let Counts {
        sales,
        cash,
        splits,
        codes,
        by_v3,
        behind,
        moves,
        returns,
        refunds,
        closes,
        bills,
        notices,
        ..
    } = counts;
    format!(
        "{sales} sales ({cash} in cash, {splits} split, {codes} by our code, {by_v3} through API v3, {behind} through a backend with {notices} notifications, {returns} with cash given back), {moves} moves to it, \
         {refunds} refunds, {closes} closes, {bills} bills"
    )
}

fn play_many(arguments: &Arguments) -> ExitCode {
    #[expect(clippy::disallowed_methods, reason = "how long it takes is what is measured")]
    let begun = Instant::now();
    let from = arguments.from.unwrap_or_else(|| fastrand::u64(..1 << 48));
    let (next, sales) = (AtomicU64::new(from), AtomicU64::new(0));
    let (is_broken, all, worst) =
        (AtomicBool::new(false), Mutex::new(Counts::default()), Mutex::new(None));
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..arguments.threads.unwrap_or(processors) {
            scope.spawn(|| {
                let mut counts = Counts::default();
                while sales.load(Ordering::Relaxed) < arguments.sales
                    && !is_broken.load(Ordering::Relaxed)
                {
                    let plan = arguments.plan(next.fetch_add(1, Ordering::Relaxed));
                    let told = play(&plan, false);
                    sales.fetch_add(told.counts.sales, Ordering::Relaxed);
                    counts.add(told.counts);
                    if told.violation.is_some() {
                        is_broken.store(true, Ordering::Relaxed);
                        if let Ok(mut worst) = worst.lock() {
                            *worst = Some(plan);
                        }
                    }
                }
                if let Ok(mut all) = all.lock() {
                    all.add(counts);
                }
            });
        }
    });
    let counts = all.into_inner().unwrap_or_default();
    let last = next.into_inner() - 1;
    println!(
        "seeds {from} to {last}: {} calls, {} entries, {} faults, {} deaths",
        counts.calls, counts.entries, counts.faults, counts.deaths
    );
    let broken = worst.into_inner().unwrap_or_default();
    let seconds = begun.elapsed().as_secs();
    let Some(plan) = broken else {
        println!("{}, 0 violations, {seconds} s", played(&counts));
        return ExitCode::SUCCESS;
    };
    let short = shorten::shorten(plan);
    let told = play(&short, true);
    print!("{}", told.story);
    if let Some(violation) = told.violation {
        println!("VIOLATION {violation}");
    }
    println!("told again by: scripts/simulate {short}");
    println!("{}, 1 violation, {seconds} s", played(&counts));
    ExitCode::FAILURE
}
