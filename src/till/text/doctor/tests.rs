//! Every finding reads as one sentence, with advice where there is a fault.

use super::*;

/// One finding of each kind about a gateway.
fn about_gateways() -> Vec<Finding> {
    let host = || "https://api.example.com".to_owned();
    let day = || "2026-11-22".to_owned();
    let till = || "T01".to_owned();
    let rights = |charge, qr, refunds: Option<&str>| OfBackend::Rights {
        charge,
        qr,
        refund_up_to: refunds.map(str::to_owned),
    };
    vec![
        Finding::OfV3(OfV3::Keys { serial: "5157F0".into(), public_key_id: None }),
        Finding::OfV3(OfV3::Keys { serial: "5157F0".into(), public_key_id: Some(host()) }),
        Finding::OfV3(OfV3::Merchant { mch_id: "1900000109".into(), shop: None }),
        Finding::OfV3(OfV3::Merchant {
            mch_id: "1900000109".into(),
            shop: Some("1900000200".into()),
        }),
        Finding::OfV3(OfV3::ApiV3KeyGood),
        Finding::OfV3(OfV3::ApiV3KeyUnused),
        Finding::OfV3(OfV3::NoCertificate),
        Finding::OfV3(OfV3::PlatformCertificates { count: 2, until: day() }),
        Finding::OfV3(OfV3::PublicKeyOnly),
        Finding::OfV3(OfV3::WrongApiV3Key),
        Finding::OfV3(OfV3::NoPlatformCertificates("HTTP 502".into())),
        Finding::OfV3(OfV3::ClockOff { seconds: 400, is_ahead: true }),
        Finding::OfV3(OfV3::ClockOff { seconds: 400, is_ahead: false }),
        Finding::OfBackend(OfBackend::Keys {
            till: till(),
            own: "0a1b2c3d".into(),
            theirs: "4e5f6071".into(),
        }),
        Finding::OfBackend(OfBackend::Running { version: "1.2.3".into() }),
        Finding::OfBackend(OfBackend::Known {
            merchant: "corner".into(),
            store: "S001".into(),
            till: till(),
        }),
        Finding::OfBackend(OfBackend::KnownOtherwise { merchant: "corner".into(), till: till() }),
        Finding::OfBackend(OfBackend::OtherCurrency { theirs: "EUR".into(), ours: "CNY".into() }),
        Finding::OfBackend(rights(false, false, None)),
        Finding::OfBackend(rights(true, true, Some("CNY 100.00"))),
        Finding::OfBackend(rights(true, false, None)),
        Finding::OfBackend(OfBackend::Revoked),
        Finding::OfBackend(OfBackend::ClockOff { seconds: 400, is_ahead: true }),
        Finding::OfBackend(OfBackend::ClockOff { seconds: 400, is_ahead: false }),
        Finding::OfBackend(OfBackend::Impatient { ours_ms: 5_000, theirs_ms: 30_000 }),
    ]
}

/// One finding of each kind, except those that repeat a sentence from elsewhere.
fn findings() -> Vec<Finding> {
    let host = || "https://api.example.com".to_owned();
    let day = || "2026-11-22".to_owned();
    let verdict = Verdict::Warning;
    let mut findings = vec![
        Finding::Configured("/etc/paytill/paytill.toml".into()),
        Finding::Unconfigured,
        Finding::SecretsRead,
        Finding::CertificateGood(day()),
        Finding::CertificateEnds { until: day(), days: 9 },
        Finding::CertificateEnded(day()),
        Finding::CertificateNotYet(day()),
        Finding::CertificateUnreadable,
        Finding::CertificatePage("HTTP 400, text/html: no".into()),
        Finding::CertificateForeign { holder: "1900000110".into(), merchant: "1900000109".into() },
        Finding::HostInTrouble { host: host(), page: "HTTP 502".into(), is_backup: false },
        Finding::Training,
        Finding::Reached(host()),
        Finding::OwnRoots,
        Finding::AccountGood,
        Finding::AccountMd5,
        Finding::ClockRight(1),
        Finding::ClockWrong { seconds: 90, is_ahead: true, verdict },
        Finding::ClockUncompared,
        Finding::TillRunning,
        Finding::TillNotRunning,
        Finding::NumbersTaken(2),
        Finding::NoJournal("/srv/journal.sqlite".into()),
        Finding::JournalWhole { orders: 0, open: 0, head: None },
        Finding::JournalWhole {
            orders: 7,
            open: 1,
            head: Some(Head {
                entry: 21,
                digest: "0123456789abcdef0123456789abcdef".into(),
                out_trade_no: "T01-000007".into(),
            }),
        },
        Finding::JournalAttention(2),
        Finding::JournalNotClosed,
        Finding::RefundsUnclear(3),
        Finding::DiskGood { free_mib: 900, flush_us: 4000 },
        Finding::DiskFull { free_mib: 9, verdict },
        Finding::FlushTooFast(2),
        Finding::DiskUnwritable { folder: "/srv".into(), why: "read-only".into() },
        Finding::NoScanner,
        Finding::ScannerMissed,
        Finding::Terminal(TerminalState::Good),
        Finding::Terminal(TerminalState::Poor),
        Finding::Terminal(TerminalState::NotUtf8),
        Finding::Terminal(TerminalState::Latin),
    ];
    for check in [Check::Scanner, Check::Printer, Check::Display] {
        let port = || "/dev/ttyUSB0".to_owned();
        findings.push(Finding::NoDevice(check));
        findings.push(Finding::DeviceReady(check, port()));
        findings.push(Finding::DeviceInUse(check, port()));
        findings.push(Finding::DeviceAbsent(check, port()));
        for fault in [
            DeviceFault::Denied,
            DeviceFault::Busy,
            DeviceFault::Swapped,
            DeviceFault::SwappedPrinter,
            DeviceFault::NotSerial,
            DeviceFault::Terminal,
            DeviceFault::Blocked,
        ] {
            findings.push(Finding::DeviceWrong(check, port(), fault));
        }
    }
    findings.extend(about_gateways());
    findings
}

#[test]
fn every_finding_is_a_sentence_in_both_languages_and_advice_stands_where_it_is_needed() {
    for finding in findings() {
        let english = finding.result(Language::English);
        let chinese = finding.result(Language::Chinese);
        assert_eq!((english.check, english.verdict), (chinese.check, chinese.verdict));
        let sentences = |result: &CheckResult| {
            let advice = result.advice.clone();
            assert_eq!(advice.is_none(), result.verdict == Verdict::Well, "{result:?}");
            std::iter::once(result.text.clone()).chain(advice).collect::<Vec<_>>()
        };
        for sentence in sentences(&english) {
            let is_whole = sentence.ends_with('.') || sentence.contains("openssl ");
            assert!(is_whole && sentence.is_ascii(), "{sentence}");
        }
        for sentence in sentences(&chinese) {
            let is_whole = sentence.ends_with('。') || sentence.contains("openssl ");
            assert!(is_whole && !sentence.is_ascii(), "{sentence}");
        }
    }
}
