//! What the name of a field says about its value.

use crate::upstream::anthropic::recogniser::scan::fold;

use super::{Key, LONGEST_KEY};

/// What a column's header says; `customer` alone is a person more often than not.
pub fn classify_column(name: &str) -> Option<Key> {
    classify(name).or_else(|| {
        let folded = fold(name);
        matches!(
            folded.as_str(),
            "customer" | "contact" | "user" | "owner" | "person" | "member" | "agent" | "buyer"
        )
        .then_some(Key::Party)
    })
}

/// Splits at blanks, signs and camel humps: `clientSecret` is two words.
fn key_words(raw: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut depth = 0_usize;
    let mut previous_lower = false;
    let mut open = false;
    for c in raw.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if !c.is_alphanumeric() || depth > 0 {
            open = false;
            previous_lower = false;
            continue;
        }
        if !open || (previous_lower && c.is_uppercase()) {
            words.push(String::new());
            open = true;
        }
        if let Some(word) = words.last_mut() {
            word.push(c);
        }
        previous_lower = c.is_lowercase() || c.is_ascii_digit();
    }
    words.iter().map(|word| fold(word)).collect()
}

/// What a name says about its value.
pub fn classify(raw: &str) -> Option<Key> {
    if raw.is_empty() || raw.len() > LONGEST_KEY {
        return None;
    }
    let mut words = key_words(raw);
    if let Some(key) = classify_words(&words) {
        return Some(key);
    }
    // `secret_key_base`, `DB_PASSWORD_PROD`, `password2`: which secret it is does not make it another
    // thing. In prose these words stand for something else.
    if raw.contains(char::is_whitespace) {
        return None;
    }
    let last = words.pop()?;
    let numbered = last.trim_end_matches(|c: char| c.is_ascii_digit());
    match last.as_str() {
        "base" if words.last().is_some_and(|word| word == "key") => {}
        "value" | "prod" | "production" | "staging" | "dev" | "live" | "old" | "new"
        | "current" | "confirmation" | "confirm" | "plain" | "plaintext" | "v1" | "v2" | "hex"
        | "base64" => {}
        _ if numbered.len() < last.len() => {
            if !numbered.is_empty() {
                words.push(numbered.to_owned());
            }
        }
        _ => return None,
    }
    classify_words(&words).filter(|key| matches!(key, Key::Secret | Key::Password))
}

fn classify_words(words: &[String]) -> Option<Key> {
    let last = words.last()?.as_str();
    let before = words.len().checked_sub(2).map_or("", |i| words[i].as_str());
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let short = words.len() <= 4;

    let key = match last {
        "password" | "passwd" | "pwd" | "passphrase" | "passcode" | "passwort" | "kennwort"
        | "contrasena" | "senha" | "pw" | "wachtwoord" | "losenord" | "haslo" | "parola"
        | "salasana" | "пароль" | "密码" | "パスワード" | "비밀번호" => {
            Key::Password
        }
        "passe" if before == "de" => Key::Password,
        "phrase" if matches!(before, "pass" | "seed" | "recovery" | "secret" | "backup") => {
            Key::Password
        }
        "mnemonic" => Key::Password,
        // `PGPASSWORD`, `dbpassword`
        word if word.ends_with("password") => Key::Password,
        "secret" | "token" | "apikey" | "credential" | "credentials" | "jwt" | "bearer" | "pat"
        | "accountkey" | "sharedaccesskey" | "pass" => Key::Secret,
        "answer" if matches!(before, "secret" | "security" | "recovery") => Key::Answer,
        "sicherheitsantwort" => Key::Answer,
        "pin" | "otp" if short => Key::Secret,
        "authorization" | "auth" => Key::MaybeSecret,
        "code" | "codes"
            if matches!(
                before,
                "recovery" | "backup" | "verification" | "access" | "mfa" | "login" | "door"
            ) =>
        {
            Key::Secret
        }
        "code" | "number" if before == "security" && !has(&["social"]) => Key::CardCode,
        "cvv" | "cvc" | "cvv2" => Key::CardCode,
        "string" if before == "connection" => Key::MaybeSecret,
        "key" | "keys" => match before {
            "api" | "access" | "private" | "secret" | "signing" | "encryption" | "account"
            | "master" | "auth" | "service" | "deploy" | "admin" | "webhook" | "role" => {
                Key::Secret
            }
            "idempotency" | "primary" | "foreign" | "partition" | "cache" | "public" | "sort"
            | "routing" | "object" | "publishable" | "translation" => return None,
            _ => Key::MaybeSecret,
        },
        "session" | "sessionid" | "sid" | "jsessionid" | "phpsessid" | "cookie" | "signature"
        | "sig" => Key::Session,

        "phone" | "telephone" | "tel" | "mobile" | "cell" | "cellphone" | "fax" | "whatsapp"
        | "telefon" | "telefono" | "telefone" | "handy" | "msisdn" | "mobil" | "landline"
        | "mobiltelefon" | "telefonnummer" | "handynummer" | "portable" | "celular" | "movil"
        | "телефон" | "电话" | "電話番号" | "전화" => Key::Phone,
        "number" | "no" | "nr" | "num" | "line" | "dial"
            if has(&[
                "phone",
                "telephone",
                "tel",
                "mobile",
                "cell",
                "fax",
                "callback",
                "direct",
                "whatsapp",
                "contact",
            ]) =>
        {
            Key::Phone
        }

        "ssn" | "nino" | "dni" | "cpf" | "cnpj" | "rg" | "curp" | "nif" | "nie" | "pesel"
        | "personnummer" | "tin" | "bsn" | "passport" | "aadhaar" | "steuernummer" => {
            Key::NationalId
        }
        // India's tax number; a card's is known by its digits.
        "pan" if words.len() == 1 => Key::NationalId,
        "licence" | "license" if has(&["driver", "drivers", "driving"]) => Key::NationalId,
        "security" if before == "social" => Key::NationalId,
        "number" | "no" | "id" | "nr"
            if has(&[
                "ssn",
                "passport",
                "insurance",
                "ni",
                "national",
                "social",
                "licence",
                "license",
                "tax",
                "personal",
                "identity",
                "steuer",
                "ausweis",
                "personalausweis",
                "reisepass",
            ]) && !has(&["key"]) =>
        {
            Key::NationalId
        }
        "insurance" if before == "national" => Key::NationalId,

        "card" | "cardnumber" | "pan" | "kreditkarte" | "creditcard" | "iban" => Key::Card,
        "account" | "konto" if before == "bank" => Key::Card,
        "number" | "no" if has(&["card", "credit", "debit", "visa", "amex"]) => Key::Card,

        "address" | "addr" | "adresse" | "direccion" | "indirizzo" | "anschrift" | "adress"
        | "endereco" | "住所" | "地址" | "주소" | "адрес" => {
            if has(&[
                "ip", "mac", "email", "mail", "e", "remote", "bind", "listen", "host", "server",
                "client", "peer", "memory", "return", "web", "url", "ipv4", "ipv6", "source",
                "base", "wallet", "local", "x",
            ]) {
                return None;
            }
            Key::Address
        }
        "street" | "address1" | "address2" | "addressline1" | "addressline2" | "strasse"
        | "street1" | "calle" | "line1" | "line2" => Key::Address,
        "to" if matches!(before, "ship" | "deliver" | "bill") => Key::Address,
        "city" | "town" | "zip" | "zipcode" | "postcode" | "postal" | "plz" | "ort" | "wohnort"
        | "stadt" | "ville" | "ciudad" | "cidade" => Key::Place,
        "code" if matches!(before, "postal" | "zip" | "post") => Key::Place,

        "氏名" | "名前" | "姓名" | "フリガナ" | "이름" | "성명" | "имя" | "фамилия" | "фио" => {
            Key::Name
        }
        "name" | "names" | "nombre" | "nom" | "navn" | "namn" | "nome" => {
            let thing = has(&[
                "host",
                "file",
                "table",
                "server",
                "service",
                "event",
                "app",
                "application",
                "company",
                "queue",
                "bucket",
                "cluster",
                "product",
                "job",
                "domain",
                "class",
                "function",
                "field",
                "column",
                "database",
                "db",
                "user",
                "package",
                "module",
                "branch",
                "workspace",
                "project",
                "store",
                "bank",
                "business",
                "plan",
                "node",
                "pod",
                "container",
                "image",
                "role",
                "policy",
                "metric",
                "header",
                "cookie",
                "feature",
                "theme",
                "font",
                "topic",
                "stream",
                "device",
                "team",
                "org",
                "organisation",
                "organization",
                "environment",
                "tenant",
                "realm",
                "state",
                "variable",
                "index",
                "street",
                "key",
                "token",
                "type",
                "tag",
                "common",
                "site",
                "path",
                "resource",
                "process",
                "thread",
                "logger",
                "program",
                "rule",
                "export",
            ]);
            if before == "user" || before == "login" {
                Key::Username
            } else if thing {
                return None;
            } else {
                Key::Name
            }
        }
        "fullname" | "firstname" | "lastname" | "surname" | "givenname" | "familyname"
        | "displayname" | "realname" | "vorname" | "nachname" | "prenom" | "apellido"
        | "apellidos" | "cardholder" | "holder" | "attn" | "attention" | "reporter"
        | "requester" | "requestor" | "caller" | "signatory" | "patient" | "employee"
        | "recipient" | "sender" | "assignee" | "manager" | "cc'd" | "author" | "customername"
        | "contactname" | "passenger" | "guest" | "tenant" | "student" | "teacher" | "guardian"
            if words.len() <= 3 =>
        {
            Key::Name
        }
        // A letter's head.
        "cc" | "bcc" | "agent" if words.len() == 1 => Key::Party,
        "customer" | "contact" | "client" | "owner" | "from" | "to" | "cc'" | "person"
        | "signed" | "consignee" | "buyer" | "driver" | "nurse" | "doctor" | "lead"
            if words.len() <= 3 =>
        {
            Key::Party
        }
        "by" if matches!(
            before,
            "reported"
                | "requested"
                | "submitted"
                | "approved"
                | "signed"
                | "created"
                | "opened"
                | "raised"
                | "sent"
                | "filed"
                | "ordered"
                | "changed"
                | "updated"
                | "confirmed"
        ) =>
        {
            Key::Party
        }
        "user" | "username" | "login" | "usr" | "uid" | "logonname" | "actor" | "account"
        | "principal" | "operator" => Key::Username,
        _ => return None,
    };
    Some(key)
}
