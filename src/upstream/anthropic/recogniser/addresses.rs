//! Postal addresses in American, British and continental European forms.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

use crate::protocol::tickets::EntityKind;

use super::{
    fields::{Field, Form, Key},
    scan::{next_digit, window_after},
    span::{Span, Weight},
};

/// A capitalised word; written out because the Unicode classes are not compiled in. A full stop belongs
/// to an abbreviation: behind a longer word it ends the sentence.
const CAP: &str =
    r"(?:(?:[A-Z]\.){2,3}|(?:St|Ste|Ft|Mt|Pt|Dr|[A-Z])\.|[A-ZÀ-ÞĀ-Ž][A-Za-zÀ-ž'’-]{0,24})";

/// Finds addresses.
pub fn find(text: &str, fields: &[Field], spans: &mut Vec<Span>) {
    for field in fields {
        named(text, field, spans);
    }
    // No address that nobody names is without a number.
    if !text.bytes().any(|b| b.is_ascii_digit()) {
        return;
    }
    numbered(text, spans);
    let mut streets: Vec<Range<usize>> = Vec::new();
    if STREET_BEFORE_NUMBER.is_match(text) {
        streets.extend(NUMBER_LAST.find_iter(text).map(|found| found.range()));
    }
    streets.extend(PREFIXED.find_iter(text).map(|found| found.range()));
    streets.extend(BOX.find_iter(text).map(|found| found.range()));
    for street in streets {
        let range = street.start..with_place(text, street.end);
        if stands_alone(text, &range) {
            spans.push(Span::new(range, EntityKind::Address, Weight::Context));
        }
    }
    if POSTCODE.is_match(text) {
        for found in PLACE.find_iter(text) {
            if stands_alone(text, &found.range()) {
                spans.push(Span::new(found.range(), EntityKind::Address, Weight::Shape));
            }
        }
    }
}

/// No street that begins with its number is longer, in bytes.
const LONGEST_STREET: usize = 160;

/// Streets behind their numbers. The patterns are tried where a number stands and nowhere else.
fn numbered(text: &str, spans: &mut Vec<Span>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(start) = next_digit(text, at) {
        let digits = bytes[start..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count();
        at = start + digits;
        let inside =
            start > 0 && (bytes[start - 1].is_ascii_alphanumeric() || bytes[start - 1] == b'_');
        if !inside
            && digits <= 6
            && let Some(end) = street_end(text, start)
        {
            if stands_alone(text, &(start..end)) {
                spans.push(Span::new(start..end, EntityKind::Address, Weight::Context));
            }
            at = end;
        }
    }
}

/// Where the address ends that begins with the number at `at`.
fn street_end(text: &str, at: usize) -> Option<usize> {
    let rest = window_after(text, at, LONGEST_STREET);
    for pattern in [&*NUMBER_FIRST, &*NUMBER_BEFORE_KIND] {
        if let Some(found) = pattern.find(rest)
            && !is_sentence(found.as_str())
        {
            return Some(with_place(text, at + found.end()));
        }
    }
    if let Some(found) = LOWER.find(rest) {
        return Some(at + found.end());
    }
    // `4 TB HARD DRIVE`, `12 Plaza Hotels`: only a postcode tells.
    [&*SHOUTED, &*NUMBER_BEFORE_ANY].iter().find_map(|pattern| {
        let street = at + pattern.find(rest)?.end();
        let end = with_place(text, street);
        let place = &text[street..end];
        (POSTCODE.is_match(place) || CONTINENTAL.is_match(place)).then_some(end)
    })
}

/// `48 w 12th st apt 3b, new york, ny 10011`: typed without a capital, so only down to its postcode.
static LOWER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(
        concat!(
            r"^[0-9]{{1,6}}[a-z]?,? (?:[nsew]\.? )?(?:(?:[a-z][a-z'.-]{{1,24}}|[0-9]{{1,3}}(?:st|nd|rd|th)) ){{1,3}}(?:{kinds})(?-u:\b)\.?",
            r"(?:,? (?:apt|apartment|suite|ste|unit|floor|fl|#)\.? ?#?[0-9a-z-]{{1,6}})?,?(?: [a-z][a-z'.-]{{1,20}}){{1,3}},? (?i:{state}) [0-9]{{5}}(?:-[0-9]{{4}})?(?-u:\b)",
        ),
        kinds = KINDS.to_lowercase(),
        state = STATE,
    ))
    .expect("a constant pattern")
});

/// `12 IN MAIN ROAD`: in capitals, what binds a sentence looks like the word of a street.
fn is_sentence(street: &str) -> bool {
    street.split(' ').any(|word| {
        matches!(
            word,
            "IN" | "AT"
                | "TO"
                | "ON"
                | "BY"
                | "FOR"
                | "FROM"
                | "WITH"
                | "AND"
                | "OR"
                | "IS"
                | "NOT"
                | "NO"
        )
    })
}

/// What a street ends with, in most countries that speak English.
const KINDS: &str = "Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Way|Court|Ct|Place|Pl|Parkway|Pkwy|Terrace|Ter|Square|Sq|Quay|Mews|Close|Crescent|Cres|Row|Walk|Cottages|Gardens|Hill|Circle|Cir|Highway|Hwy|Trail|Alley|Wharf|Yard|Green|Grove|Embankment|Loop|Rise|Vale|Gate|Parade|Promenade|Esplanade|Heights|Broadway|Buildings|House|Pike|Turnpike|Plaza|Point|Bridge|Path|Landing|Ridge|Crossing";

/// `18 Lantern Quay`, `210B W. Orchard St.`, and in capitals what is always a street.
static NUMBER_FIRST: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(
        concat!(
            r"^[0-9]{{1,6}}[A-Za-z]?(?:[-/][0-9]{{1,4}})?,? (?:(?:North|South|East|West|NORTH|SOUTH|EAST|WEST|[NSEW]\.?|[NS][EW]) )?(?:",
            r"(?:(?:{cap}|[0-9]{{1,3}}(?:st|nd|rd|th)|of|the|de|la) ){{1,4}}(?:{kinds})(?-u:\b)\.?(?: [NS][EW](?-u:\b))?",
            r"|(?:(?:[A-Z][A-Z'.-]{{1,24}}|[0-9]{{1,3}}(?:ST|ND|RD|TH)) ){{1,3}}(?:STREET|AVENUE|AVE|ROAD|RD|BOULEVARD|BLVD|PARKWAY|PKWY|CRESCENT)(?-u:\b)\.?(?: [NS][EW](?-u:\b))?",
            r")",
        ),
        cap = CAP,
        kinds = KINDS,
    ))
    .expect("a constant pattern")
});

/// `5 KILN ROW`, in capitals as anything else may be.
static SHOUTED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(
        r"^[0-9]{{1,6}}[A-Z]?,? (?:[NSEW]\.? )?(?:(?:[A-Z][A-Z'.-]{{1,24}}|[0-9]{{1,3}}(?:ST|ND|RD|TH)) ){{1,3}}(?:{})(?-u:\b)\.?",
        KINDS.to_uppercase(),
    ))
    .expect("a constant pattern")
});

/// What may bind the words of a street's name, and such a word.
const BOUND: &str = r"(?: (?:des|du|della|del|dei|de|di|das|da|dos|do|las|la|los|le|el|(?:[ld]['’])?[A-ZÀ-ÞĀ-Ž][A-Za-zÀ-ž'’-]{1,20}))";

/// `12 rue de Rivoli`, `12 Calle Mayor`.
static NUMBER_BEFORE_KIND: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(
        r"^[0-9]{{1,4}}(?: ?(?:bis|ter))?,? (?:rue|avenue|av\.|boulevard|bd|place|chemin|impasse|quai|allée|Rue|Chemin|Impasse|Quai|Allée|[Cc]alle|[Aa]venida|[Aa]vda\.|[Pp]aseo|[Vv]iale|[Pp]iazza|[Rr]ua|[Pp]raça|[Uu]lica|ul\.){BOUND}{{1,5}}",
    ))
    .expect("a constant pattern")
});

/// `5 Via Roma`, `8 Avenue Foch`: words that begin many other things.
static NUMBER_BEFORE_ANY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(
        r"^[0-9]{{1,4}}(?: ?(?:bis|ter))?,? (?:[Vv]ia|[Pp]laza|[Cc]orso|Place|Avenue|Boulevard|Av\.|Bd){BOUND}{{1,5}}",
    ))
    .expect("a constant pattern")
});

/// A postcode of the United States with its state, or a British one.
static POSTCODE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(r"(?-u:\b)(?:{STATE} [0-9]{{5}}|{UK})(?-u:\b)"))
        .expect("a constant pattern")
});

/// A postcode before its town.
static CONTINENTAL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?-u:\b)(?:[0-9]{2}-[0-9]{3}|[0-9]{3,5}(?: ?[0-9]{2,3}|-[0-9]{3})?(?: ?[A-Z]{2})?) [A-ZÀ-ÞĀ-Ž]")
        .expect("a constant pattern")
});

/// The ends of [`NUMBER_LAST`], which is costly where there is none.
static STREET_BEFORE_NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?:tra(?:ß|ss)e|tr\.|gasse|weg|platz|allee|damm|ufer|gata|gatan|vägen|gade|vej|veien|vei|gracht|straat|laan|plein|katu|tie|STRASSE|STRAßE|STR\.|GASSE|PLATZ|ALLEE|Weg|Platz|Allee|Ring|Gata|Utca|út|tér) [0-9]",
    )
    .expect("a constant pattern")
});

/// `Musterstraße 12`, `Kungsgatan 44 B`, `Prinsengracht 263`.
static NUMBER_LAST: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"[A-ZÀ-ÞĀ-Ž][A-Za-zÀ-ž.-]{1,30}?(?:[sS]tra(?:ß|ss)e|[sS]tr\.|gasse|weg|platz|allee|damm|ufer|gata|gatan|vägen|vägen|gade|vej|veien|vei|gracht|straat|laan|plein|katu|tie|STRASSE|STRAßE|STR\.|GASSE|PLATZ|ALLEE|(?: |-)(?:Straße|Strasse|Weg|Platz|Allee|Ring|Gata|Utca|út|tér)) [0-9]{1,4}(?: ?[A-Za-z](?-u:\b))?(?:[-/](?:[0-9]{1,4}|[IVX]{1,4}(?-u:\b)))?",
    )
    .expect("a constant pattern")
});

/// `Calle de Alcalá 48`, `Via Roma, 12`, `ul. Długa 5`.
static PREFIXED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?-u:\b)(?:Calle|C/|Avenida|Av\.|Avda\.|Plaza|Paseo|Via|Viale|Piazza|Corso|Rua|Praça|ul\.|al\.|ulica|Rue)(?: (?:della|del|de|dei|di|das|da|dos|do|las|la|los|el|[A-ZÀ-ÞĀ-Ž][A-Za-zÀ-ž'’.-]{1,20})){1,5},? (?:n[º°.] ?)?[0-9]{1,4}[a-zA-Z]?(?:/[0-9]{1,4})?",
    )
    .expect("a constant pattern")
});

static BOX: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?-u:\b)(?:P\.? ?O\.? ?Box|Postfach|Apartado|PO BOX) [0-9]{1,6}(?-u:\b)")
        .expect("a constant pattern")
});

/// A place that is an address by its postcode: `Portland, OR 97203`, `Bristol BS1 6QX`.
static PLACE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(
        r"(?:{CAP} ){{0,2}}{CAP},? (?:{STATE} [0-9]{{5}}(?:-[0-9]{{4}})?)(?-u:\b)|(?:(?:{CAP} ){{0,2}}{CAP},? )?(?-u:\b){UK}(?-u:\b)",
    ))
    .expect("a constant pattern")
});

const STATE: &str = "(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY])";
const UK: &str = "(?:(?:[A-PR-UWYZ][0-9]{1,2}|[A-PR-UWYZ][A-HK-Y][0-9]{1,2}|[A-PR-UWYZ][0-9][A-HJKPSTUW]|[A-PR-UWYZ][A-HK-Y][0-9][ABEHMNPRVWXY]) [0-9][ABD-HJLNP-UW-Z]{2})";

/// What may follow a street: flat, district, town, postcode, country.
static TAIL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(&format!(
        concat!(
            r"^(?:,? ?\n?[ \t>]*(?:(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Fl|Room|Rm|Bldg|Building|Box)\.? ?#?[0-9A-Za-z-]{{1,6}}|#[0-9]{{1,5}}[A-Za-z]?|[0-9]{{1,2}}(?:st|nd|rd|th) [Ff]loor))?",
            r"(?:(?:, ?|,?[ \t]*\n[ \t>]*|,? | - )(?:[A-Z]{{1,2}}-)?(?:[0-9]{{2}}-[0-9]{{3}}|[0-9]{{3,5}}(?: ?[0-9]{{2,3}}|-[0-9]{{3}})?(?: ?[A-Z]{{2}})?) (?:{cap})(?: {cap}){{0,2}}",
            r"|(?:(?:, ?|,?[ \t]*\n[ \t>]*| )(?:{cap})(?: {cap}){{0,3}}){{0,2}}(?:,? ?|\n[ \t>]*){state} [0-9]{{5}}(?:-[0-9]{{4}})?",
            r"|(?:(?:, ?|,?[ \t]*\n[ \t>]*| )(?:{cap})(?: {cap}){{0,3}}){{0,2}}(?:,? ?|\n[ \t>]*){uk}",
            r"|(?:, (?:{cap})(?: {cap}){{0,2}}){{1,2}})?",
            r"(?:, (?:USA|UK|United States|United Kingdom|Germany|Deutschland|France|Spain|Italy|Netherlands|Sweden|Ireland|Canada|Portugal|Poland|Austria|Switzerland))?",
        ),
        cap = CAP,
        state = STATE,
        uk = UK,
    ))
    .expect("a constant pattern")
});

/// How far the address that ends its street at `end` goes on.
fn with_place(text: &str, end: usize) -> usize {
    let rest = window_after(text, end, 160);
    let length = TAIL.find(rest).map_or(0, |found| found.end());
    let tail = &rest[..length];
    // `…, Portland.` ends a sentence, not an address.
    end + tail
        .trim_end_matches([' ', ',', '.', '\n', '\t', '>', '\'', '’'])
        .len()
}

fn stands_alone(text: &str, range: &Range<usize>) -> bool {
    let before = text[..range.start].chars().next_back();
    let next = text[range.end..].chars().next();
    !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '/' | '.' | '#'))
        && !next.is_some_and(|c| c.is_alphanumeric() || c == '_')
}

fn named(text: &str, field: &Field, spans: &mut Vec<Span>) {
    let value = &text[field.value.clone()];
    let letters = value.chars().filter(|c| c.is_alphabetic()).count();
    let digits = value.chars().filter(char::is_ascii_digit).count();
    let network = value.contains("://")
        || value.contains('@')
        || value.starts_with("0x")
        || (value.contains('.') && !value.contains(' '))
        || (value.contains("::"));
    let fits = match field.key {
        Key::Address => {
            !network
                && letters >= 3
                && (digits > 0
                    || value.contains(',')
                    || field.form == Form::Cell
                    || field.form == Form::Pair && value.contains(' '))
                && (digits > 0 || value.len() <= 80)
        }
        Key::Place if ["n/a", "none", "null", "unknown"].contains(&value) => false,
        Key::Place => {
            field.form != Form::Line
                && !network
                && (letters >= 2 || digits >= 4)
                && value.len() <= 40
                || field.form == Form::Line
                    && value.len() <= 30
                    && digits + letters >= 3
                    && !network
                    // `city: prod-east` is where servers stand.
                    && !value.starts_with(char::is_lowercase)
        }
        _ => false,
    };
    if fits {
        let kept = value.trim_end_matches(['.', ',']).len();
        let below = (field.key == Key::Address)
            .then(|| lines_below(text, &field.value))
            .flatten();
        spans.push(Span::new(
            field.value.start..below.unwrap_or(field.value.start + kept),
            EntityKind::Address,
            Weight::Named,
        ));
    }
}

/// Where the lines end that go on with an address below its beginning, as a form aligns them.
fn lines_below(text: &str, value: &Range<usize>) -> Option<usize> {
    let line = text[..value.start].rfind('\n').map_or(0, |at| at + 1);
    let column = text[line..value.start].chars().count();
    let mut at = value.end + text[value.end..].find('\n')?;
    if column < 4 || !text[value.end..at].trim_matches([' ', ',', '.']).is_empty() {
        return None;
    }
    let mut end = None;
    for line in text[at..].split_inclusive('\n').skip(1).take(3) {
        let indent = line.chars().take_while(|c| *c == ' ').count();
        let words = line.trim();
        let fits = (1..=60).contains(&words.len()) && !words.contains([':', '=']);
        if !fits || indent.abs_diff(column) > 1 {
            break;
        }
        end = Some(at + 1 + indent + words.len());
        at += line.len();
    }
    end
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::upstream::anthropic::recogniser::{fields, span::texts};

    fn found(text: &str) -> Vec<&str> {
        texts(text, |text, spans| find(text, &fields::find(text), spans))
    }

    #[rstest]
    #[case(
        "at 18 Lantern Quay, Apt 4, Portland, OR 97203 today",
        "18 Lantern Quay, Apt 4, Portland, OR 97203"
    )]
    #[case(
        "office in 77 Dockside Road, Bristol BS1 6QX.",
        "77 Dockside Road, Bristol BS1 6QX"
    )]
    #[case(
        "1200 Cargo Parkway, Suite 310, Memphis, TN 38118",
        "1200 Cargo Parkway, Suite 310, Memphis, TN 38118"
    )]
    #[case(
        "5 Kiln Cottages, Hebden Bridge HX7 8AB :)",
        "5 Kiln Cottages, Hebden Bridge HX7 8AB"
    )]
    #[case(
        "wohnt Musterstraße 12, 10115 Berlin.",
        "Musterstraße 12, 10115 Berlin"
    )]
    #[case("Kungsgatan 44, 111 35 Stockholm", "Kungsgatan 44, 111 35 Stockholm")]
    #[case("au 12 rue de Rivoli, 75001 Paris", "12 rue de Rivoli, 75001 Paris")]
    #[case("au 12 rue des Lilas, 69003 Lyon", "12 rue des Lilas, 69003 Lyon")]
    #[case(
        "27 bis, rue des Trois-Frères - 69003 Lyon",
        "27 bis, rue des Trois-Frères - 69003 Lyon"
    )]
    #[case(
        "Rua das Flores 12, 1200-192 Lisboa",
        "Rua das Flores 12, 1200-192 Lisboa"
    )]
    #[case("Straße: Am Alten Graben 7a", "Am Alten Graben 7a")]
    #[case("PLZ/Ort: 99084 Erfurt", "99084 Erfurt")]
    #[case(
        "Keizersgracht 585-II, 1017 DR Amsterdam",
        "Keizersgracht 585-II, 1017 DR Amsterdam"
    )]
    #[case("Calle de Alcalá 48, 28014 Madrid", "Calle de Alcalá 48, 28014 Madrid")]
    #[case(
        "write to PO Box 1142, Salem, OR 97301",
        "PO Box 1142, Salem, OR 97301"
    )]
    #[case(
        "221B Baker Street\nLondon NW1 6XE\n",
        "221B Baker Street\nLondon NW1 6XE"
    )]
    #[case("I live in Portland, OR 97203", "Portland, OR 97203")]
    #[case("'12 Calle Mayor, 28013 Madrid'", "12 Calle Mayor, 28013 Madrid")]
    #[case("17 Rue de l'Église, 69003 Lyon", "17 Rue de l'Église, 69003 Lyon")]
    #[case("at 5 Via Roma, 00184 Roma", "5 Via Roma, 00184 Roma")]
    #[case("8 Avenue Foch, 75116 Paris", "8 Avenue Foch, 75116 Paris")]
    #[case("3 Piazza Navona", "3 Piazza Navona")]
    #[case(
        "I MOVED TO 77 CEDAR ROAD, AUSTIN TX 78701. CALL ME",
        "77 CEDAR ROAD, AUSTIN TX 78701"
    )]
    #[case(
        "SHIP TO 1600 PENNSYLVANIA AVE NW, WASHINGTON, DC 20500",
        "1600 PENNSYLVANIA AVE NW, WASHINGTON, DC 20500"
    )]
    #[case("221B BAKER STREET LONDON NW1 6XE", "221B BAKER STREET LONDON NW1 6XE")]
    #[case("MUSTERSTRASSE 12, 80331 MÜNCHEN", "MUSTERSTRASSE 12, 80331 MÜNCHEN")]
    #[case("AT 9 E. 42ND STREET TODAY", "9 E. 42ND STREET")]
    #[case("LIVING AT 5 KILN ROW, YORK YO1 7AB", "5 KILN ROW, YORK YO1 7AB")]
    #[case("OFFICE 4 OAK DR, DALLAS, TX 75201", "4 OAK DR, DALLAS, TX 75201")]
    #[case(
        "Musterstr. 12, 80331 München. Mein Passwort",
        "Musterstr. 12, 80331 München"
    )]
    #[case("12 Oak St., St. Paul, MN 55101", "12 Oak St., St. Paul, MN 55101")]
    #[case("9 Elm Road, Washington D.C. 20500", "9 Elm Road, Washington D.C")]
    #[case(
        "Address: 77 OAK ROAD, AUSTIN TX 78701. EMAIL A@B.TEST",
        "77 OAK ROAD, AUSTIN TX 78701"
    )]
    #[case(
        "Prinsengracht 263, 1016 GV Amsterdam",
        "Prinsengracht 263, 1016 GV Amsterdam"
    )]
    #[case(
        "Our office: ul. Marszałkowska 104/122, 00-017 Warszawa.",
        "ul. Marszałkowska 104/122, 00-017 Warszawa"
    )]
    #[case(
        "Address ...: 14 bis rue de la République,\n             69002 Lyon\n             France\nCard ......: none",
        "14 bis rue de la République,\n             69002 Lyon\n             France"
    )]
    #[case(
        "its 48 w 12th st apt 3b, new york, ny 10011 and call",
        "48 w 12th st apt 3b, new york, ny 10011"
    )]
    #[case("Address: 5 Oak Row\n\n         Thanks", "5 Oak Row")]
    #[case("Address: 5 Oak Row\n         Phone: none", "5 Oak Row")]
    #[case("Address: 5 Oak Row\nIt fails", "5 Oak Row")]
    fn addresses_of_many_countries(#[case] text: &str, #[case] address: &str) {
        assert!(found(text).contains(&address), "{:?}", found(text));
    }

    #[test]
    fn two_addresses_are_two() {
        let text = "My address: 77 CEDAR ROAD, AUSTIN TX 78701. Also ship to 12 OAK AVENUE, DALLAS TX 75201.";
        assert_eq!(
            found(text),
            [
                "77 CEDAR ROAD, AUSTIN TX 78701",
                "12 OAK AVENUE, DALLAS TX 75201"
            ]
        );
    }

    #[rstest]
    #[case("after 30 Requests per Second we see 504 Gateway Timeout")]
    #[case("ip address: 10.0.0.1 MAC address: 00:1b:44:11:3a:b7")]
    #[case("Chrome 126 on Windows 11, 14 Pro")]
    #[case("bind address: 0.0.0.0:8080")]
    #[case("city: prod-east, zip: archive.tar")]
    #[case("Via API v2, error E11 2AB9")]
    #[case("A 4 TB HARD DRIVE AND 2 PCIE LANE, NO WAY, 30 REQUESTS PER SECOND AT 1 POINT")]
    #[case("routed 5 Via Gateway and 12 Plaza Hotels bookings, 3 Place Order clicks")]
    #[case("SELECT 10 FROM ORDERS WHERE ROW = 4, 404 NOT FOUND IN LOOP")]
    #[case("ERROR 500 AT LINE 12 IN MAIN ROAD MODULE. The address: 10.0.0.1. Server restarts")]
    #[case("30 requests per second at 1 point, or 404 in loop, ok 20000 rows")]
    fn technical_text_is_no_address(#[case] text: &str) {
        assert!(found(text).is_empty(), "{:?}", found(text));
    }
}
