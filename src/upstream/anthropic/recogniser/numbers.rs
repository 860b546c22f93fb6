//! Payment cards (Luhn), IBANs (mod 97) and national identity numbers.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

use crate::protocol::tickets::EntityKind;

use super::{
    fields::{Field, Key},
    scan::{fold, is_dash, line_before, next_digit, window_after},
    span::{Span, Weight},
};

/// Finds payment card numbers, card codes and, as the closest of the seven kinds, IBANs.
pub fn cards(text: &str, fields: &[Field], spans: &mut Vec<Span>) {
    let mut at = 0;
    while let Some(digit) = next_digit(text, at) {
        let range = digit_run(text, digit);
        if let Some(weight) = card(text, &range) {
            spans.push(Span::new(range.clone(), EntityKind::CreditCard, weight));
        }
        at = range.end;
    }
    for field in fields {
        let value = &text[field.value.clone()];
        let digits = value.bytes().filter(u8::is_ascii_digit).count();
        let fits = match field.key {
            Key::Card => (12..=34).contains(&digits) && value.len() <= 42,
            Key::CardCode => (3..=4).contains(&digits) && value.len() == digits,
            _ => false,
        };
        if fits {
            spans.push(Span::new(
                field.value.clone(),
                EntityKind::CreditCard,
                Weight::Named,
            ));
        }
    }
    spans.extend(
        CARD_CODE
            .captures_iter(text)
            .filter_map(|found| found.get(1))
            .map(|code| Span::new(code.range(), EntityKind::CreditCard, Weight::Context)),
    );
    spans.extend(
        IBAN.find_iter(text)
            .filter(|found| iban_holds(found.as_str()))
            .map(|found| Span::new(found.range(), EntityKind::CreditCard, Weight::Certain)),
    );
}

/// `CVV 123`, `security code is 881`.
static CARD_CODE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(?-u:\b)(?:cv[vc]2?|security code)(?: is| was|:|=)? {0,2}([0-9]{3,4})(?-u:\b)")
        .expect("a constant pattern")
});

static IBAN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?-u:\b)[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?-u:\b)")
        .expect("a constant pattern")
});

/// No card or account number with what stands between its digits is longer, in bytes.
const LONGEST_RUN: usize = 40;

/// Digits with blanks, dots or dashes between them, two at most in a row, from `start`.
fn digit_run(text: &str, start: usize) -> Range<usize> {
    let bytes = text.as_bytes();
    let mut end = start;
    let mut between = 0;
    for (at, c) in window_after(text, start, LONGEST_RUN).char_indices() {
        if c.is_ascii_digit() {
            end = start + at + 1;
            between = 0;
            continue;
        }
        between += 1;
        if between > 2 || !(is_dash(c) || matches!(c, ' ' | '.')) {
            break;
        }
    }
    // A longer run without an end is no card; the rest of it is none either.
    while end - start >= LONGEST_RUN - 1 && end < bytes.len() && bytes[end].is_ascii_digit() {
        end += 1;
    }
    start..end
}

fn card(text: &str, range: &Range<usize>) -> Option<Weight> {
    let number = &text[range.clone()];
    let before = text[..range.start].chars().next_back();
    let next = text[range.end..].chars().next();
    if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
        || next.is_some_and(|c| c.is_alphanumeric() || c == '_')
    {
        return None;
    }
    let digits: Vec<u8> = number
        .bytes()
        .filter(u8::is_ascii_digit)
        .map(|b| b - b'0')
        .collect();
    if !(13..=19).contains(&digits.len()) || !has_issuer(&digits) {
        return None;
    }
    let groups: Vec<&str> = number
        .split(|c: char| !c.is_ascii_digit())
        .filter(|group| !group.is_empty())
        .collect();
    // `10.20.30.4111111111111`, `1.2  3`: other numbers beside one another.
    if number.contains('.') && groups.iter().any(|group| group.len() != 4) {
        return None;
    }
    let line = fold(line_before(text, range.start, 48));
    let named = [
        "card",
        "visa",
        "mastercard",
        "amex",
        "pan",
        "payment",
        "paid with",
        "karte",
        "carte",
        "tarjeta",
        "carta",
        "kaart",
        "kort",
    ]
    .iter()
    .any(|word| line.contains(word));
    let other = [
        "order", "tracking", "parcel", "shipment", "imei", "trace", "serial",
    ]
    .iter()
    .any(|word| line.contains(word));
    // `… paid by card`, unless that card is another: `is not involved, the card …`.
    let behind = fold(window_after(text, range.end, 24));
    let behind = behind
        .split([',', '.', ';', '\n'])
        .next()
        .unwrap_or_default();
    let named_behind = behind.split_whitespace().any(|word| word == "card");
    if luhn(&digits) {
        return match (named || named_behind, other) {
            (false, true) => None,
            (true, _) | (false, false) => Some(Weight::Certain),
        };
    }
    // Someone mistyped a card; it still is nobody's business.
    let groups_of_four = groups.len() > 1 && groups.iter().all(|group| group.len() == 4);
    (named && groups_of_four).then_some(Weight::Context)
}

/// Whether the first digits are those of a card issuer for that length (ISO/IEC 7812).
fn has_issuer(digits: &[u8]) -> bool {
    let lead = |n: usize| {
        digits[..n]
            .iter()
            .fold(0_u32, |number, digit| number * 10 + u32::from(*digit))
    };
    match digits.len() {
        15 => matches!(lead(2), 34 | 37),
        14 => matches!(lead(2), 36 | 38) || matches!(lead(3), 300..=305),
        13 => lead(1) == 4,
        16..=19 => {
            lead(1) == 4
                || matches!(lead(2), 51..=55 | 62 | 65 | 35)
                || matches!(lead(4), 2221..=2720 | 6011)
                || matches!(lead(3), 644..=649)
        }
        _ => false,
    }
}

/// The Luhn checksum (ISO/IEC 7812-1, annex B).
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, digit)| {
            let doubled = u32::from(*digit) * if index % 2 == 1 { 2 } else { 1 };
            doubled / 10 + doubled % 10
        })
        .sum();
    sum.is_multiple_of(10)
}

/// The IBAN checksum (ISO 13616): mod 97 of the rearranged digits is one.
fn iban_holds(text: &str) -> bool {
    let compact: Vec<u8> = text.bytes().filter(|b| *b != b' ').collect();
    if !(15..=34).contains(&compact.len()) {
        return false;
    }
    let remainder = compact[4..]
        .iter()
        .chain(&compact[..4])
        .fold(0_u32, |rest, byte| match byte {
            b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
            letter => (rest * 100 + u32::from(letter - b'A') + 10) % 97,
        });
    remainder == 1
}

/// Finds national identity numbers: US, UK, Brazil by their form, others by a field's name.
pub fn national_ids(text: &str, fields: &[Field], spans: &mut Vec<Span>) {
    static FORM: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(concat!(
            // US: 900-12-3456, its first parts perhaps blacked out by letters or stars.
            r"(?-u:\b)(?:[0-9]{3}|[Xx*]{3})[-–][0-9Xx*]{2}[-–][0-9]{4}(?-u:\b)",
            // UK: QQ 12 34 56 C.
            r"|(?-u:\b)(?:QQ|[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]) ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D](?-u:\b)",
            // Brazil: 123.456.789-09.
            r"|(?-u:\b)[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}(?-u:\b)",
            // Mexico: the CURP.
            r"|(?-u:\b)[A-Z]{4}[0-9]{6}[HMX][A-Z]{5}[A-Z0-9][0-9](?-u:\b)",
        ))
        .expect("a constant pattern")
    });
    for found in FORM.find_iter(text) {
        let sticks =
            |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
        if !sticks(text[..found.start()].chars().next_back())
            && !sticks(text[found.end()..].chars().next())
        {
            spans.push(Span::new(found.range(), EntityKind::Ssn, Weight::Certain));
        }
    }
    for field in fields.iter().filter(|f| f.key == Key::NationalId) {
        let value = &text[field.value.clone()];
        let token = identity_token(value);
        if value[..token].bytes().filter(u8::is_ascii_digit).count() >= 5 {
            let range = field.value.start..field.value.start + token;
            spans.push(Span::new(range, EntityKind::Ssn, Weight::Named));
        }
    }
    announced(text, spans);
}

/// `my SSN is 900123456`, `social security number 900 12 3456`.
fn announced(text: &str, spans: &mut Vec<Span>) {
    static WORDS: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)(?-u:\b)(?:ssn|social(?: security)?(?: number| no\.?)?|national insurance(?: number| no\.?)?|passport(?: number| no\.?)?|driver'?s licen[cs]e(?: number| no\.?)?|nhs(?: number| no\.?)|tax id|national id|dni|nif|cpf|cnpj|rg|rfc|pan|bsn|aadhaar|personnummer)\*{0,2}(?: is| was|:|,|=)? {0,3}")
            .expect("a constant pattern")
    });
    for found in WORDS.find_iter(text) {
        let rest = window_after(text, found.end(), 24);
        let token = identity_token(rest);
        let digits = rest[..token].bytes().filter(u8::is_ascii_digit).count();
        // `PAN ABCDE1234F`: letters in it make fewer digits enough.
        let lettered = rest[..token].contains(|c: char| c.is_ascii_alphabetic());
        let enough = if lettered { 4 } else { 6 };
        let word = fold(found.as_str());
        let fits = match word.trim_matches([' ', ':', '=', ',', '*']) {
            // `rg 123456 files`, `social 123456 likes`: words with other meanings need the form.
            "pan" | "rfc" => lettered,
            "rg" => rest[..token].contains(['.', '-']),
            word if word.starts_with("social") && !word.contains("security") => digits == 9,
            _ => true,
        };
        if fits
            && (enough..=14).contains(&digits)
            && rest.starts_with(|c: char| c.is_ascii_alphanumeric())
        {
            spans.push(Span::new(
                found.end()..found.end() + token,
                EntityKind::Ssn,
                Weight::Context,
            ));
        }
    }
}

/// How far a value goes on like an identity number: groups with digits in them, `X1234567`,
/// `900 12 3456`, `12.345.678-9`, `ABCDE1234F`.
fn identity_token(text: &str) -> usize {
    let window = window_after(text, 0, 24);
    let mut end = 0;
    let mut start = 0;
    for piece in window.split_inclusive([' ', '-', '.', '/']) {
        let group = piece.trim_end_matches([' ', '-', '.', '/']);
        let plain = &group[..group
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(group.len())];
        let digits = plain.bytes().filter(u8::is_ascii_digit).count();
        // Letters before the digits are few and belong to them: `QQ 12 34 56 C`, but not `and 12`.
        let letters = plain.len() - digits;
        let fits = if digits > 0 {
            letters <= 6
        } else {
            start == 0 && (1..=2).contains(&letters)
        };
        if !fits {
            break;
        }
        if digits > 0 {
            end = start + plain.len();
        }
        if plain.len() < group.len() {
            break;
        }
        start += piece.len();
    }
    end
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::upstream::anthropic::recogniser::{fields, span::resolve};

    fn found(text: &str) -> Vec<(EntityKind, &str)> {
        let fields = fields::find(text);
        let mut spans = Vec::new();
        cards(text, &fields, &mut spans);
        national_ids(text, &fields, &mut spans);
        resolve(spans)
            .into_iter()
            .map(|s| (s.kind, &text[s.range]))
            .collect()
    }

    #[rstest]
    #[case(
        "paid with 4242 4242 4242 4242 today",
        EntityKind::CreditCard,
        "4242 4242 4242 4242"
    )]
    #[case("4242424242424242", EntityKind::CreditCard, "4242424242424242")]
    #[case("amex 3782-822463-10005", EntityKind::CreditCard, "3782-822463-10005")]
    #[case(
        "my card 4242 4242 4242 4241",
        EntityKind::CreditCard,
        "4242 4242 4242 4241"
    )]
    #[case("CVC: 123", EntityKind::CreditCard, "123")]
    #[case("exp 12/29, cvv 123", EntityKind::CreditCard, "123")]
    #[case("4242.4242.4242.4242", EntityKind::CreditCard, "4242.4242.4242.4242")]
    #[case(
        "4242  4242  4242  4242",
        EntityKind::CreditCard,
        "4242  4242  4242  4242"
    )]
    #[case("4242–4242–4242–4242", EntityKind::CreditCard, "4242–4242–4242–4242")]
    #[case(
        "order 4242424242424242 paid by card",
        EntityKind::CreditCard,
        "4242424242424242"
    )]
    #[case("NI QQ 12 34 56 C", EntityKind::Ssn, "QQ 12 34 56 C")]
    #[case("full social is 900 55 4471.", EntityKind::Ssn, "900 55 4471")]
    #[case("Steuer-ID: 12 345 678 901", EntityKind::Ssn, "12 345 678 901")]
    #[case("Personalausweis-Nr.: L01X00T471", EntityKind::Ssn, "L01X00T471")]
    #[case("**Passport** NXB12345 expires", EntityKind::Ssn, "NXB12345")]
    #[case("Driver's licence: 5012345678", EntityKind::Ssn, "5012345678")]
    #[case("RG 12.345.678-9, ok", EntityKind::Ssn, "12.345.678-9")]
    #[case("RFC RAXI850101AB1", EntityKind::Ssn, "RAXI850101AB1")]
    #[case("CURP RAXI850101MDFMCT09", EntityKind::Ssn, "RAXI850101MDFMCT09")]
    #[case("PAN: ABCPI1234K", EntityKind::Ssn, "ABCPI1234K")]
    #[case("Aadhaar: 2345 6789 0124", EntityKind::Ssn, "2345 6789 0124")]
    #[case(
        "DE89 3704 0044 0532 0130 00",
        EntityKind::CreditCard,
        "DE89 3704 0044 0532 0130 00"
    )]
    #[case("it is 900-12-3456.", EntityKind::Ssn, "900-12-3456")]
    #[case("SSN: 900123456", EntityKind::Ssn, "900123456")]
    #[case("NI number: QQ123456C", EntityKind::Ssn, "QQ123456C")]
    #[case(
        "my social security number is 900 12 3456 ok",
        EntityKind::Ssn,
        "900 12 3456"
    )]
    #[case("Passport No: X1234567", EntityKind::Ssn, "X1234567")]
    fn numbers_of_people(#[case] text: &str, #[case] kind: EntityKind, #[case] value: &str) {
        assert!(found(text).contains(&(kind, value)), "{:?}", found(text));
    }

    #[rstest]
    #[case("order 4242 4242 4242 4241")]
    #[case("tracking 4242424242424242")]
    #[case("order 4111111111111111 is not involved, the card works")]
    #[case("RFC 7231, social login, passport 12 and 345678 rows")]
    #[case("rg 123456 files, the social 123456 likes, pan 20260602")]
    #[case("build 4111.1111.11111111, 10.20.30.40")]
    #[case("1718000000000 1234567890123456 2026-06-02")]
    #[case("ch_4242424242424242 4242424242424242_x")]
    #[case("00000000000000000000000000000000000000000000000000")]
    fn numbers_of_things(#[case] text: &str) {
        assert!(found(text).is_empty(), "{:?}", found(text));
    }
}
