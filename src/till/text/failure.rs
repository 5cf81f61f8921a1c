//! Why a part of the till or of the simulated gateway cannot work.

use super::system;
use crate::both;
use crate::device::learned::LearnedError;
use crate::language::{Language, Text};
use crate::simulator::EmbeddedError;
use crate::simulator::identity::IdentityError;
use crate::simulator::server::ServerError;

/// Why the learned scanners cannot be read.
pub fn learned(error: &LearnedError) -> Text {
    match error {
        LearnedError::Io { path, source } => {
            let path = path.display();
            both!("{path}", "{path}").because(&system::text(source))
        }
        LearnedError::Broken { path, why } => Text::new(
            error.to_string(),
            format!(
                "{}：{}；请重新学习扫码枪，或删除该文件",
                path.display(),
                why.in_language(Language::Chinese)
            ),
        ),
    }
}

/// Why the simulated gateway inside the program cannot be used.
pub fn embedded(error: &EmbeddedError) -> Text {
    let why = match error {
        EmbeddedError::Identity(error) => identity(error),
        EmbeddedError::Server(error) => server(error),
        EmbeddedError::Open(error) => return error.text(),
    };
    both!("the simulated gateway cannot be started", "无法启动模拟网关").because(&why)
}

/// Why the simulated gateway has no keys and certificates.
pub fn identity(error: &IdentityError) -> Text {
    let chinese = match error {
        IdentityError::NotOurs(path) => {
            format!("{} 不是由模拟网关写入的；请选择空目录", path.display())
        }
        IdentityError::Certificate(why) => format!("无法生成证书：{why}"),
        IdentityError::NoRandomness => "系统没有提供随机数".to_owned(),
        IdentityError::File { path, cause } => {
            let path = path.display();
            return both!("{path}", "{path}").because(&system::text(cause));
        }
        IdentityError::Keys(why) => format!("APIv3 密钥无法使用：{why}"),
        IdentityError::Tls(why) => format!("密钥与证书不匹配：{why}"),
        IdentityError::Pem(why) => format!("不是 PEM 文件：{why}"),
        IdentityError::Verifier(why) => format!("根证书无法用于验证客户端：{why}"),
    };
    Text::new(error.to_string(), chinese)
}

/// Why the simulated gateway cannot be reached.
pub fn server(error: &ServerError) -> Text {
    match error {
        ServerError::Listen { address, cause } => {
            both!("cannot listen on {address}", "无法监听 {address}").because(&system::text(cause))
        }
        ServerError::Identity(error) => identity(error),
    }
}
