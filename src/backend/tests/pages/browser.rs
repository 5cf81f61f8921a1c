//! The pages in a real browser: that it draws them, on a phone and on a desk, in both languages.
//! `PAYTILL_PICTURES=FOLDER` keeps the pictures, for whoever wants to look.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use paytill_core::clock::{Millis, Timestamp};
use paytill_core::order::OutTradeNo;
use paytill_core::payment::{
    Answer, Cause, Event, Inconclusive, Reason, State, Status, Submitted, TillCause,
};

use super::{Owner, paid, put};
use crate::store::PaymentRow;
use crate::tests::{Office, rules};

const SIZES: [(u32, u32); 2] = [(390, 844), (1280, 800)];
const CSS: &str = include_str!("../../pages/style.css");

fn browser() -> Option<&'static str> {
    let is_there = |name: &&str| Command::new(name).arg("--version").output().is_ok();
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find(is_there)
}

/// A payment nobody ever answers about.
fn in_doubt() -> State {
    let rules = rules();
    let mut state = State::begin(&rules, 0);
    for tick in 0..4_000 {
        let now = Millis(tick * 10);
        if let Some(call) = state.awaited() {
            let lost = Inconclusive::Unknown(Reason::from(TillCause::NoAnswer));
            let answer = Answer::inconclusive(call.kind, lost);
            let _ = state.step(&Event::Answered(call.number, answer), now, &rules);
        }
        let _ = state.step(&Event::Tick, now, &rules);
        if state.status() == Status::Attention {
            break;
        }
    }
    state
}

fn answered(answer: Submitted) -> State {
    let mut state = State::begin(&rules(), 0);
    let event = Event::Answered(0, Answer::Submitted(answer));
    let _ = state.step(&event, Millis(100), &rules());
    state
}

/// A day with something of each kind.
async fn fill(office: &Office) -> String {
    let row = paid(office).await;
    let declined = Reason { cause: Cause::Gateway("NOTENOUGH".to_owned()), text: String::new() };
    let states = [
        in_doubt(),
        answered(Submitted::Paying),
        answered(Submitted::Declined(declined)),
        row.state.clone(),
    ];
    for (serial, state) in states.into_iter().enumerate() {
        let before = i64::try_from(serial).unwrap() * 70_000 + 60_000;
        let at = Timestamp(row.created_at.0 - before);
        let mut made = PaymentRow { state, created_at: at, updated_at: at, ..row.clone() };
        made.key.out_trade_no =
            OutTradeNo::try_from(format!("T02113012000000{serial:03}")).unwrap();
        made.till = "T02".to_owned();
        made.seen = 0;
        // The sweep is not to go on with it.
        made.wake_at = made.state.awaited().map(|_| Timestamp(i64::MAX));
        put(office, made).await;
    }
    row.key.out_trade_no.to_string()
}

#[tokio::test]
async fn a_browser_draws_the_pages_at_every_size() {
    let Some(browser) = browser() else {
        let why = "skipped: the owner's page in a browser, since chromium is not installed";
        let _ = writeln!(std::io::stderr(), "{why}");
        return;
    };
    let office = Office::open("ok").await;
    let number = fill(&office).await;
    let mut owner = Owner::inside(&office).await;
    let folder = tempfile::tempdir().unwrap();
    let kept = std::env::var_os("PAYTILL_PICTURES");
    let pictures = kept.as_deref().map_or_else(|| folder.path(), Path::new);
    std::fs::write(folder.path().join("style.css"), CSS).unwrap();
    let story = format!("/admin/payments/{number}");
    let paths = [
        ("today", "/admin"),
        ("story", story.as_str()),
        ("doubt", "/admin/payments/T02113012000000000"),
        ("tills", "/admin/tills"),
        ("lock", "/admin/tills/T01/lock"),
        ("payments", "/admin/payments"),
    ];
    for language in ["en", "zh-CN"] {
        owner.language = language;
        for (name, path) in paths {
            let page = owner.get(path).await.text.replace("/admin/style.css", "style.css");
            let file = folder.path().join(format!("{name}-{language}.html"));
            std::fs::write(&file, page).unwrap();
            for (width, height) in SIZES {
                let picture = pictures.join(format!("{name}-{language}-{width}.png"));
                let drawn = Command::new(browser)
                    .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"])
                    .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
                    .arg(format!("--window-size={width},{height}"))
                    .arg(format!("--screenshot={}", picture.display()))
                    .arg(format!("file://{}", file.display()))
                    .output()
                    .unwrap();
                assert!(drawn.status.success(), "{}", String::from_utf8_lossy(&drawn.stderr));
                let drawn = std::fs::read(&picture).unwrap();
                assert!(drawn.starts_with(b"\x89PNG"), "{name}");
            }
        }
    }
}
