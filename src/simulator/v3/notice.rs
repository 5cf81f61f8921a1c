//! Notifications as API v3 sends them (apiv3 5).

use super::reply::{self, Reply, Signature};
use crate::Bank;
use crate::NoticeCase;
use crate::ledger::LedgerEntry;
use crate::notices::{ANOTHER_MERCHANT, BankNotice, Message};
use crate::refund_case::RefundStage;
use paytill_core::clock::Timestamp;
use paytill_core::gateway::wechat::v3::json::Value;

impl Bank {
    /// Headers and body; `None` without keys for API v3.
    pub(crate) fn notice_v3(
        &mut self,
        notice: &BankNotice,
        entry: &LedgerEntry,
        by_certificate: bool,
        at: Timestamp,
    ) -> Option<Message> {
        let keys = self.v3.clone()?;
        let mut rng = self.rng.fork();
        let mut merchant = self.account.merchant.clone();
        if notice.spoilt == Some(NoticeCase::Foreign) {
            ANOTHER_MERCHANT.clone_into(&mut merchant.mch_id);
        }
        let more = i64::from(notice.spoilt == Some(NoticeCase::WrongAmount));
        let (event, kind, content) = match &notice.out_refund_no {
            None => {
                let mut fields = self.success(entry, entry.paid_at.unwrap_or_default());
                fields.set("appid", merchant.app_id.as_str());
                fields.set("mch_id", merchant.mch_id.as_str());
                fields.set("total_fee", (entry.amount.minor() + more).to_string());
                let named = [("trade_state", "SUCCESS"), ("trade_state_desc", "支付成功")];
                let content = reply::order(&merchant, &fields, &named, &mut rng);
                ("TRANSACTION.SUCCESS", "transaction", content)
            }
            Some(number) => {
                let refund = entry.refunds.iter().find(|refund| refund.number == *number)?;
                let event = match refund.stage {
                    RefundStage::Success => "REFUND.SUCCESS",
                    RefundStage::Closed => "REFUND.CLOSED",
                    RefundStage::Abnormal => "REFUND.ABNORMAL",
                    RefundStage::Processing => return None,
                };
                let whose = if merchant.sub_mch_id.is_empty() { "mchid" } else { "sp_mchid" };
                let (total, amount) = (entry.amount.minor(), refund.amount.minor() + more);
                let time = self.wall(refund.ended_at).to_rfc3339();
                let done = if event == "REFUND.SUCCESS" { time.as_str() } else { "" };
                let members = vec![
                    (whose, Value::Text(&merchant.mch_id)),
                    ("sub_mchid", Value::Text(&merchant.sub_mch_id)),
                    ("out_trade_no", Value::Text(&entry.out_trade_no)),
                    ("transaction_id", Value::Text(&entry.transaction_id)),
                    ("out_refund_no", Value::Text(&refund.number)),
                    ("refund_id", Value::Text(&refund.refund_id)),
                    ("refund_status", Value::Text(event.trim_start_matches("REFUND."))),
                    ("success_time", Value::Text(done)),
                    ("user_received_account", Value::Text("招商银行信用卡0403")),
                    (
                        "amount",
                        Value::Members(vec![
                            ("total", Value::Whole(total)),
                            ("refund", Value::Whole(amount)),
                            ("payer_total", Value::Whole(total)),
                            ("payer_refund", Value::Whole(amount)),
                        ]),
                    ),
                ];
                let content = Value::Members(members).to_bytes();
                (event, "refund", String::from_utf8_lossy(&content).into_owned())
            }
        };
        let (nonce, ciphertext) = keys.seal(kind, content.as_bytes(), &mut rng);
        let created = at.to_rfc3339();
        let message = Value::Members(vec![
            ("id", Value::Text(notice.id())),
            ("create_time", Value::Text(&created)),
            ("resource_type", Value::Text("encrypt-resource")),
            ("event_type", Value::Text(event)),
            ("summary", Value::Text(if kind == "refund" { "退款" } else { "支付成功" })),
            (
                "resource",
                Value::Members(vec![
                    ("original_type", Value::Text(kind)),
                    ("algorithm", Value::Text("AEAD_AES_256_GCM")),
                    ("ciphertext", Value::Text(&ciphertext)),
                    ("associated_data", Value::Text(kind)),
                    ("nonce", Value::Text(&nonce)),
                ]),
            ),
        ]);
        let body = String::from_utf8_lossy(&message.to_bytes()).into_owned();
        let signature = if by_certificate { Signature::Certificate } else { Signature::PublicKey };
        let reply = Reply { keys: &keys, signature, at };
        let mut headers = reply.headers(&body, &mut rng, |text| match notice.spoilt {
            Some(NoticeCase::Forged) => keys.forge(text),
            Some(NoticeCase::Probe) => format!("WECHATPAY/SIGNTEST/{}", keys.forge(text)),
            _ => keys.sign(by_certificate, text),
        });
        headers.push(("Content-Type", "application/json".to_owned()));
        Some((headers, body.into_bytes()))
    }
}
