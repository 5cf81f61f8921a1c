//! The key of the chain: what is noticed with it, and what is refused of it.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use aws_lc_rs::digest;

use super::*;

type Hash<'a> = &'a dyn Fn(&[u8; 16], &[&[u8]]) -> [u8; 16];

/// As anybody can compute it.
fn without_key(before: &[u8; 16], parts: &[&[u8]]) -> [u8; 16] {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(before);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    context.finish().as_ref()[..16].try_into().unwrap()
}

/// Makes the whole chain anew, and the mirror.
fn reseal(path: &Path, hash: Hash<'_>) {
    let db = Connection::open(path).unwrap();
    let sql = "SELECT seq, attempt, at, age, boot, sent_at, event, state, wire FROM entry
         ORDER BY seq";
    let mut statement = db.prepare(sql).unwrap();
    let mut rows = statement.query([]).unwrap();
    let (mut seq, mut chain) = (0, [0; 16]);
    while let Some(row) = rows.next().unwrap() {
        let numbers = (0..6).flat_map(|at| row.get::<_, i64>(at).unwrap().to_be_bytes());
        let numbers: Vec<u8> = numbers.collect();
        let texts = [6, 7, 8].map(|at| row.get::<_, String>(at).unwrap());
        let facts = match texts[0].as_str() {
            "\"Begun\"" => check::facts(&db, row.get(1).unwrap()).unwrap(),
            _ => String::new(),
        };
        let [event, state, wire] = texts.each_ref().map(String::as_bytes);
        chain = hash(&chain, &[&numbers, event, state, wire, facts.as_bytes()]);
        seq = row.get(0).unwrap();
        db.execute("UPDATE entry SET chain = ? WHERE seq = ?", params![chain, seq]).unwrap();
    }
    std::fs::write(beside(path, ".head"), head::record(seq, &chain)).unwrap();
}

fn key_in(path: &Path) -> PathBuf {
    beside(path, ".key")
}

/// Both who sells and who reads are refused, and told the same.
fn fault(path: &Path, key: Option<&Path>) -> KeyFault {
    let read = JournalReader::open(path, key).map(|reader| reader.is_some());
    let Err(JournalError::Key { fault: of_reader, .. }) = read else { panic!("{read:?}") };
    let before = std::fs::read(path).unwrap();
    let opened = Journal::open(path, key).map(|(_, past)| past.last_attempt);
    let Err(JournalError::Key { fault, .. }) = opened else { panic!("{opened:?}") };
    assert_eq!(std::fs::read(path).unwrap(), before, "it was left as it was");
    assert_eq!(of_reader.to_string(), fault.to_string());
    fault
}

#[test]
fn entries_that_were_rewritten_without_the_key_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(&folder);
    let secret = key::read(&key_in(&path)).unwrap().unwrap();
    let files = ["", ".head"].map(|suffix| std::fs::read(beside(&path, suffix)).unwrap());
    let (key, wrong) = (Key::new(&secret), Key::default());
    let rewrite = |hash: Hash<'_>| {
        for (suffix, bytes) in ["", ".head"].iter().zip(&files) {
            std::fs::write(beside(&path, suffix), bytes).unwrap();
        }
        let sql = "UPDATE attempt SET amount = 100 WHERE id = 1; UPDATE sale SET due = 100
             WHERE id = 1";
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        reseal(&path, hash);
        JournalReader::open(&path, None).and_then(|reader| reader.unwrap().audit())
    };
    for hash in [&without_key as Hash<'_>, &|before, parts| wrong.hash(before, parts)] {
        let audit = rewrite(hash);
        assert!(matches!(audit, Err(JournalError::Damaged { .. })), "{audit:?}");
        assert!(matches!(refusal(&path), JournalError::Damaged { .. }));
    }
    // Who has the key can. No more than that is claimed, and a head noted before shows it.
    let audit = rewrite(&|before, parts| key.hash(before, parts)).unwrap();
    for (suffix, bytes) in ["", ".head"].iter().zip(&files) {
        std::fs::write(beside(&path, suffix), bytes).unwrap();
    }
    let noted = JournalReader::open(&path, None).unwrap().unwrap().audit().unwrap();
    assert_eq!(audit.orders, noted.orders);
    assert_ne!(audit.head, noted.head);
}

#[test]
fn a_key_is_made_with_the_journal_and_never_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(&folder);
    let key = key_in(&path);
    assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let secret = key::read(&key).unwrap().unwrap();
    assert!(secret != Secret::default());
    let kept = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    assert!(matches!(fault(&path, None), KeyFault::Missing));
    assert!(!key.exists(), "no new key for an old journal");
    // Copied with a line end of another system.
    std::fs::write(&key, [&kept[..64], b"\r\n"].concat()).unwrap();
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o400)).unwrap();
    assert!(Journal::open(&path, None).is_ok());
    // The old journal was moved away: the key goes on.
    for suffix in ["", "-wal", "-shm", ".head", ".checked"] {
        let _ = std::fs::remove_file(beside(&path, suffix));
    }
    let before = key.metadata().unwrap().ino();
    drop(Journal::open(&path, None).unwrap());
    assert_eq!(key::read(&key).unwrap().unwrap(), secret);
    // The start that made it may have failed to flush it.
    assert_ne!(key.metadata().unwrap().ino(), before, "written and flushed once more");
}

#[test]
fn a_key_that_does_not_serve_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = filled(&folder);
    let key = key_in(&path);
    let kept = std::fs::read(&key).unwrap();
    let other = tempfile::tempdir().unwrap();
    std::fs::copy(key_in(&filled(&other)), &key).unwrap();
    assert!(matches!(fault(&path, None), KeyFault::Foreign));
    let signed = [b"+1".as_slice(), &kept[2..]].concat();
    for spoilt in [&b""[..], b"\n", &kept[..63], b"no key", &kept.repeat(2), &[0xff; 64], &signed] {
        std::fs::write(&key, spoilt).unwrap();
        assert!(matches!(fault(&path, None), KeyFault::Spoilt), "{spoilt:?}");
    }
    std::fs::write(&key, &kept).unwrap();
    for mode in [0o640, 0o604, 0o620, 0o660] {
        std::fs::set_permissions(&key, PermissionsExt::from_mode(mode)).unwrap();
        assert!(matches!(fault(&path, None), KeyFault::Open), "{mode:o}");
    }
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).unwrap();
    let state = path.parent().unwrap();
    std::fs::set_permissions(state, PermissionsExt::from_mode(0o770)).unwrap();
    assert!(matches!(fault(&path, None), KeyFault::Folder(named) if named == state));
    std::fs::set_permissions(state, PermissionsExt::from_mode(0o700)).unwrap();
    assert!(Journal::open(&path, None).is_ok());
    // A link, whatever it leads to, a folder, and a pipe that nobody writes to.
    let elsewhere = folder.path().join("elsewhere");
    std::fs::rename(&key, &elsewhere).unwrap();
    symlink(&elsewhere, &key).unwrap();
    assert!(matches!(fault(&path, None), KeyFault::NoFile));
    assert!(Journal::open(&path, Some(&elsewhere)).is_ok(), "named");
    std::fs::remove_file(&key).unwrap();
    std::fs::create_dir(&key).unwrap();
    assert!(matches!(fault(&path, None), KeyFault::NoFile));
    std::fs::remove_dir(&key).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &key,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    assert!(matches!(fault(&path, None), KeyFault::NoFile));
}

#[test]
fn planted_links_lead_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    let prey = folder.path().join("prey");
    let leads_nowhere = |planted: &Path| {
        for exists in [false, true] {
            let _ = std::fs::remove_file(&prey);
            if exists {
                std::fs::write(&prey, "untouched").unwrap();
            }
            symlink(&prey, planted).unwrap();
            let refused = Journal::open(&path, None).is_err();
            assert_eq!(prey.exists(), exists, "{}", planted.display());
            assert!(!exists || std::fs::read(&prey).unwrap() == b"untouched");
            let _ = std::fs::remove_file(planted);
            assert!(refused || planted.ends_with("journal.sqlite.key.new"));
        }
    };
    for suffix in [".key", ".key.new", ".head", "-wal", "-journal", ".checked"] {
        leads_nowhere(&beside(&path, suffix));
        for file in ["", "-wal", "-shm", ".key", ".head"] {
            let _ = std::fs::remove_file(beside(&path, file));
        }
    }
}

#[test]
fn a_key_in_a_place_of_its_own_is_made_there_with_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.sqlite");
    let key = folder.path().join("keys/till/journal.key");
    let (mut journal, _) = Journal::open(&path, Some(&key)).unwrap();
    journal.append(&begin(1)).unwrap();
    let reader = JournalReader::of_held(&path, Some(&key)).unwrap();
    assert_eq!(reader.orders(&Filter::default()).unwrap().len(), 1);
    drop((reader, journal));
    assert!(!key_in(&path).exists());
    assert!(matches!(fault(&path, None), KeyFault::Missing));
    assert!(Journal::open(&path, Some(&key)).is_ok());
    // Where none can be made, no journal is.
    let other = folder.path().join("other.sqlite");
    let refused = Journal::open(&other, Some(Path::new("/proc/paytill/key"))).map(|_| ());
    let Err(JournalError::Key { fault, .. }) = refused else { panic!("{refused:?}") };
    assert!(matches!(fault, KeyFault::NotMade(_)), "{fault}");
    assert!(Journal::open(&other, None).is_ok());
}
