//! What is heard at the counter, by a person who never looks at the screen.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::fixture::tui_session::{CTRL_N, CTRL_Q, Device, Socket, TuiSession};
use crate::fixture::{PACE, SERIAL_SCANNER, TestShop, code};
use paytill::clock::Millis;
use paytill_host::clock::Clock;

/// A shop in which each sound is written down: what is said, what it means, the sum, and whether a
/// secret of the till's environment can be seen.
fn shop() -> TestShop {
    let shop = TestShop::open(None, PACE);
    let script =
        "#!/bin/sh\nprintf '%s|%s|%s|%s\\n' \"$1\" \"$2\" \"$3\" \"$PAYTILL_API_KEY\" >> heard\n";
    let program = shop.path().join("voice.sh");
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, PermissionsExt::from_mode(0o700)).unwrap();
    let program = program.display();
    shop.configure(&format!(
        "{SERIAL_SCANNER}[screen]\n\
         voice = [\"{program}\", \"{{sentence}}\", \"{{sound}}\", \"{{amount}}\"]\n"
    ));
    shop
}

/// What was heard so far, as lines.
fn heard(shop: &TestShop) -> Vec<String> {
    let text = fs::read_to_string(shop.path().join("heard")).unwrap_or_default();
    text.split_inclusive('\n')
        .filter_map(|line| line.strip_suffix('\n'))
        .map(str::to_owned)
        .collect()
}

fn sit_down(shop: &TestShop) -> (TuiSession, Device) {
    let scanner = Socket::new(shop, "scanner").plug();
    let mut session = TuiSession::open(shop);
    session.see(&["Enter the amount.", "Scanner ready"]);
    (session, scanner)
}

#[test]
fn each_end_is_spoken_with_its_sum() {
    let shop = shop();
    let (mut session, mut scanner) = sit_down(&shop);
    let listen = |session: &mut TuiSession, count: usize, line: &str| {
        session.watch_until(line, || heard(&shop).len() >= count);
        assert_eq!(heard(&shop).last().map(String::as_str), Some(line));
    };
    session.press("12.50\r");
    session.see(&["Scan the customer's payment code."]);
    scanner.scan(&code("ok", 1));
    listen(&mut session, 1, "paid, 12.50 yuan|paid|12.50|");
    session.press("\r");
    session.press("8\r");
    session.see(&["Scan the customer's payment code."]);
    scanner.scan(&code("notenough", 2));
    listen(&mut session, 2, "not paid, 8.00 yuan|not-paid|8.00|");
    session.press("\r");
    session.see(&["Enter the amount."]);
    scanner.scan("6901234567892");
    listen(&mut session, 3, "Please look at the screen|needs-you||");
    session.press("9\r");
    session.see(&["Scan the customer's payment code."]);
    scanner.scan(&code("password-10", 3));
    session.see(&["WAITING FOR CUSTOMER"]);
    session.press(CTRL_N);
    listen(&mut session, 4, "Another customer: paid, 9.00 yuan|not-at-the-desk|9.00|");
    session.press(CTRL_Q);
    assert_eq!(session.wait_for_end().exit_code(), 0);
}

#[test]
fn a_voice_that_is_not_there_or_hangs_holds_up_nothing() {
    let shop = TestShop::open(None, PACE);
    // A number of its own, to know it by.
    let hangs = format!("1000.{}", std::process::id());
    for voice in ["[\"/nowhere/voice\"]", &format!("[\"sleep\", \"{hangs}\"]")] {
        shop.configure(&format!("{SERIAL_SCANNER}[screen]\nvoice = {voice}\n"));
        let (mut session, mut scanner) = sit_down(&shop);
        for serial in 0..3 {
            session.press("12.50\r");
            session.see(&["Scan the customer's payment code."]);
            scanner.scan(&code("ok", serial + u64::try_from(voice.len() * 10).unwrap()));
            session.see(&["Hand over the goods."]);
            session.press("\r");
            session.see(&["Enter the amount."]);
        }
        session.press(CTRL_Q);
        assert_eq!(session.wait_for_end().exit_code(), 0);
        drop(scanner);
    }
    // Nor does the till leave any of it behind; what was killed may take a moment to be gone.
    let is_left = || {
        let mut processes = fs::read_dir("/proc").unwrap().flatten();
        processes.any(|process| {
            let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(&hangs)
        })
    };
    let clock = Clock::start();
    let patience = clock.uptime().after(Millis::seconds(10));
    while is_left() {
        assert!(clock.uptime() < patience, "a voice goes on after the till");
        std::thread::yield_now();
    }
}

/// The sums of the sales whose goods were handed over by a person who only listens.
fn sell_by_ear(shop: &TestShop, sales: u64) -> Vec<i64> {
    const CUSTOMERS: [&str; 10] = [
        "ok",
        "notenough",
        "password-5",
        "answer-lost",
        "answer-lost-unpaid",
        "cancels-3",
        "walks-away",
        "return-fail",
        "forged",
        "ok",
    ];
    let (mut session, mut scanner) = sit_down(shop);
    let (mut handed_over, mut listened) = (Vec::new(), 0);
    for sale in 0..sales {
        let customer = CUSTOMERS[usize::try_from(sale).unwrap() % CUSTOMERS.len()];
        let fen = 1_000 + i64::try_from(sale).unwrap();
        let goes_on = customer == "walks-away" && sale % 4 != 0;
        session.press(&format!("{}.{:02}\r", fen / 100, fen % 100));
        TuiSession::pause();
        scanner.scan(&code(customer, sale));
        if goes_on {
            session.press(CTRL_N);
            continue;
        }
        let mut tries = 0;
        loop {
            session.watch_until("a sound", || heard(shop).len() > listened);
            let line = heard(shop).swap_remove(listened);
            listened += 1;
            match line.split('|').nth(1).unwrap() {
                "paid" => handed_over.push(fen),
                "not-paid" => {}
                // Not the customer who stands here.
                "not-at-the-desk" => continue,
                // Neither paid nor not paid: no goods, and somebody who can read looks into it.
                "needs-you" if tries == 2 => session.press(CTRL_N),
                // The scan came too soon, or an Enter was for something else.
                "needs-you" => {
                    tries += 1;
                    session.press("\r");
                    TuiSession::pause();
                    scanner.scan(&code(customer, sale));
                    continue;
                }
                other => panic!("an unknown sound: {other}"),
            }
            break;
        }
        session.press("\r");
    }
    session.watch_until("all have ended", || {
        shop.orders().values().all(|order| order["open"] == false)
    });
    session.press(CTRL_Q);
    session.wait_for_end();
    handed_over
}

#[test]
fn whoever_only_listens_hands_over_nothing_that_was_not_paid() {
    let sales = std::env::var("PAYTILL_SALES").map_or(30, |count| count.parse().unwrap());
    let shop = shop();
    let handed_over = sell_by_ear(&shop, sales);
    shop.assert_books_agree(true);
    let ledger = shop.ledger();
    for fen in &handed_over {
        let paid = ledger.iter().filter(|entry| entry.amount.minor() == *fen);
        assert_eq!(
            paid.map(|entry| entry.net().minor()).sum::<i64>(),
            *fen,
            "{fen} {:?} {ledger:#?}",
            heard(&shop)
        );
    }
    let kept = ledger.iter().filter(|entry| entry.net().minor() > 0).count();
    assert_eq!(handed_over.len(), kept, "and whoever has paid has the goods");
}
