//! Where spans are sent, and what goes along: a URL, and headers as the OpenTelemetry variables write
//! them. Reads no environment itself; what a header says is a secret.

use http::{HeaderName, HeaderValue, header};
use reqwest::Url;

use crate::{
    protocol::secret::Secret,
    support::{
        error::{Exit, Failure},
        loopback::is_loopback,
        text::one_line,
    },
};

/// More than anybody sends along; the variable may hold anything.
const MOST_HEADERS: usize = 64;

/// A collector, and the headers that every request to it carries.
#[derive(Debug, Clone)]
pub struct Destination {
    url: Url,
    headers: Vec<(HeaderName, Secret)>,
}

impl Destination {
    /// The collector at a base URL, or at the whole URL of its `/v1/traces`.
    ///
    /// # Errors
    /// If the URL is none that spans can be sent to.
    pub fn at(url: &str) -> Result<Self, Failure> {
        let wrong = |why: &str| {
            Failure::new(
                Exit::Usage,
                "--otlp is no place to send spans to",
                why,
                "give the collector's base URL, like http://127.0.0.1:4318",
            )
        };
        let mut url = Url::parse(url).map_err(|e| wrong(&e.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(wrong("it is no http or https URL"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong(
                "it holds a credential; those go into OTEL_EXPORTER_OTLP_HEADERS",
            ));
        }
        if url.query().is_some() || url.fragment().is_some() {
            // It would stand in every message about the collector.
            return Err(wrong(
                "it has a query or a fragment; a key goes into OTEL_EXPORTER_OTLP_HEADERS",
            ));
        }
        if !url.path().ends_with("/v1/traces") {
            let path = format!("{}/v1/traces", url.path().trim_end_matches('/'));
            url.set_path(&path);
        }
        Ok(Self {
            url,
            headers: Vec::new(),
        })
    }

    /// With the headers that a variable of this name holds: `key1=value1,key2=value2`, values
    /// percent-encoded, as the OpenTelemetry specification has it.
    ///
    /// # Errors
    /// If it cannot be read so, names a header that is not its to set, or would send them unencrypted
    /// over a network. What they say is never told.
    pub fn with_headers(mut self, variable: &str, written: &Secret) -> Result<Self, Failure> {
        let wrong = |why: String| {
            Failure::new(
                Exit::Usage,
                format!("{variable} cannot be sent along"),
                why,
                "write it as name=value,name=value with percent-encoded values, or unset it",
            )
        };
        for (place, pair) in written.expose().split(',').enumerate() {
            if pair.trim().is_empty() {
                continue;
            }
            let number = place + 1;
            if number > MOST_HEADERS {
                return Err(wrong(format!("it holds more than {MOST_HEADERS} headers")));
            }
            // Without its `=`, what stands there may be the secret itself: it is not repeated.
            let (name, value) = pair
                .split_once('=')
                .ok_or_else(|| wrong(format!("its entry {number} has no `=`")))?;
            let name = HeaderName::from_bytes(name.trim().as_bytes())
                .map_err(|_| wrong(format!("the name of its entry {number} is no header's")))?;
            if is_ours(&name) {
                return Err(wrong(format!("{name} is hoptrail's own to set")));
            }
            let value = decoded(value.trim());
            if value
                .as_ref()
                .is_none_or(|value| HeaderValue::from_str(value.expose()).is_err())
            {
                return Err(wrong(format!(
                    "the value of {name} cannot stand in a header"
                )));
            }
            self.headers.extend(value.map(|value| (name, value)));
        }
        if !self.headers.is_empty() && !self.is_private() {
            return Err(Failure::new(
                Exit::Usage,
                "The collector's headers stay here",
                format!(
                    "{} is neither https nor on this computer, so anybody on the way could read them",
                    one_line(self.url.as_str())
                ),
                format!("give an https URL with --otlp, or unset {variable}"),
            ));
        }
        Ok(self)
    }

    /// The URL of the requests.
    pub(super) const fn url(&self) -> &Url {
        &self.url
    }

    /// What goes along, marked so that nobody logs it.
    pub(super) fn headers(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> + '_ {
        self.headers.iter().filter_map(|(name, value)| {
            let mut value = HeaderValue::from_str(value.expose()).ok()?;
            value.set_sensitive(true);
            Some((name.clone(), value))
        })
    }

    fn is_private(&self) -> bool {
        self.url.scheme() == "https" || is_loopback(&self.url)
    }
}

/// What describes the request itself.
fn is_ours(name: &HeaderName) -> bool {
    [
        header::CONTENT_TYPE,
        header::CONTENT_LENGTH,
        header::CONTENT_ENCODING,
        header::TRANSFER_ENCODING,
        header::HOST,
        header::CONNECTION,
    ]
    .contains(name)
}

/// A percent-decoded value; none if it is no text. A `+` stays one.
fn decoded(value: &str) -> Option<Secret> {
    let text = percent_encoding::percent_decode_str(value).decode_utf8();
    text.ok().map(|text| Secret::from(&*text))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn with(url: &str, written: &str) -> Result<Destination, Failure> {
        Destination::at(url)?.with_headers("OTEL_EXPORTER_OTLP_HEADERS", &Secret::from(written))
    }

    const HERE: &str = "http://127.0.0.1:4318";

    #[test]
    fn headers_are_read_as_the_specification_writes_them() {
        let there = with(
            "https://collector.example",
            " api-key=abc%20def , Authorization=Basic%20dXNlcjpw==,x=a+b%zz,, ",
        )
        .unwrap();
        let read: Vec<_> = there
            .headers()
            .map(|(name, value)| {
                assert!(value.is_sensitive());
                (name.to_string(), value.to_str().unwrap().to_owned())
            })
            .collect();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            read,
            [
                pair("api-key", "abc def"),
                pair("authorization", "Basic dXNlcjpw=="),
                pair("x", "a+b%zz"),
            ]
        );
        let debugged = format!("{there:?}");
        assert!(!debugged.contains("abc"), "{debugged}");
        assert!(!debugged.contains("dXNlcjpw"), "{debugged}");
    }

    #[rstest]
    #[case(HERE, "hushhush", "its entry 1 has no `=`")]
    #[case(HERE, "a=1,b c=hushhush", "the name of its entry 2 is no header's")]
    #[case(HERE, "a=hushhush%0d%0ab", "the value of a cannot stand in a header")]
    #[case(HERE, "a=hushhush%ff", "the value of a cannot stand in a header")]
    #[case(HERE, "Content-Type=hushhush", "content-type is hoptrail's own to set")]
    #[case(
        "http://collector.example:4318",
        "a=hushhush",
        "anybody on the way could read them"
    )]
    fn what_cannot_be_sent_along_is_told_without_what_it_says(
        #[case] url: &str,
        #[case] written: &str,
        #[case] why: &str,
    ) {
        let failure = with(url, written).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert!(failure.why.contains(why), "{failure}");
        assert!(!failure.to_string().contains("hushhush"), "{failure}");
    }

    #[test]
    fn nothing_to_send_along_may_go_anywhere() {
        assert!(with("http://collector.example:4318", " , ").is_ok());
    }

    #[test]
    fn the_url_is_the_collector_s_or_the_whole_of_its_own() {
        for (given, told) in [
            (HERE, "http://127.0.0.1:4318/v1/traces"),
            (
                "https://c.example/otlp/",
                "https://c.example/otlp/v1/traces",
            ),
            ("http://[::1]:1/v1/traces", "http://[::1]:1/v1/traces"),
        ] {
            assert_eq!(Destination::at(given).unwrap().url().as_str(), told);
        }
    }
}
