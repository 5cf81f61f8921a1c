//! The simulated gateway. It is here, and not in an instance, so that its ledger outlives them all.

use paytill_host::clock::Clock;
use paytill_simulator::{Identity, LedgerEntry, Script, Server};
use tempfile::TempDir;

use crate::database::runtime;

/// How many times faster its time runs, and the rules of whoever asks it.
const PACE: u32 = 20;

pub(crate) struct Gateway {
    folder: TempDir,
    pub(crate) identity: Identity,
    server: Server,
}

impl Gateway {
    /// Each payment code says what its customer does; a code of ours is scanned by [`Gateway::scan`].
    pub(crate) fn open() -> Self {
        let folder = TempDir::new().unwrap();
        let identity = Identity::generate().unwrap();
        let script = Script { scans_by_word: true, ..Script::default() };
        let bank = identity.bank(script, 1, Clock::start().wall());
        let listen = "127.0.0.1:0".parse().unwrap();
        let server = Server::start(listen, &identity, bank, None, PACE);
        let server = runtime().block_on(server).unwrap();
        identity.write(folder.path(), server.local_addr()).unwrap();
        Self { folder, identity, server }
    }

    /// For an instance: where it is, and times at its pace. After `give_up_ms` a payment is given up, and
    /// half of that must pass before it may be reversed. What is given up at last takes longer than any
    /// machine.
    pub(crate) fn settings(&self, give_up_ms: u64) -> String {
        let merchant = self.identity.account().merchant;
        format!(
            "[gateway]\nkind = \"wechat-v2\"\n\
             [gateway.wechat-v2]\n\
             base_url = \"https://{address}\"\n\
             app_id = \"{app_id}\"\nmch_id = \"{mch_id}\"\n\
             api_key_file = \"{folder}/secrets/api_v2.key\"\n\
             client_cert_file = \"{folder}/secrets/apiclient_cert.pem\"\n\
             client_key_file = \"{folder}/secrets/apiclient_key.pem\"\n\
             ca_file = \"{folder}/ca.pem\"\n\
             request_timeout_ms = 1000\n\
             [payment]\nquery_interval_ms = 250\ngive_up_after_ms = {give_up_ms}\n\
             reverse_not_before_ms = {not_before_ms}\nattention_after_ms = 600000\n",
            address = self.server.local_addr(),
            app_id = merchant.app_id,
            mch_id = merchant.mch_id,
            not_before_ms = give_up_ms / 2,
            folder = self.folder.path().display(),
        )
    }

    /// A customer scans the code of this order and pays.
    pub(crate) fn scan(&self, number: &str) {
        let now = self.server.now();
        self.server.bank().scan(number, now);
    }

    /// What it has of a number.
    pub(crate) fn entry(&self, number: &str) -> Option<LedgerEntry> {
        let now = self.server.now();
        let mut bank = self.server.bank();
        bank.advance(now);
        bank.entry(number).cloned()
    }
}
