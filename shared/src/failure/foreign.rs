//! Replies that are not the service's: a proxy's HTML, an empty 403. Only their HTTP status says what they mean.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::FailureKind;

/// How much of a foreign reply an error shows, in characters.
const TOLD: usize = 160;

/// What a reply without an error code of the service means.
pub(super) fn kind(status: u16) -> FailureKind {
    match status {
        // The service may have acted before the reply was spoilt.
        200..=299 => FailureKind::NoReply,
        401 | 403 => FailureKind::AccessDenied,
        429 => FailureKind::Throttled,
        408 | 500.. => FailureKind::ServiceFault,
        _ => FailureKind::Refused,
    }
}

/// The first words of a reply, without its markup.
pub(super) fn words(reply: &HttpResponse) -> String {
    let body = reply.body().bytes().unwrap_or_default();
    let words = visible(&String::from_utf8_lossy(body));
    if words.is_empty() {
        return "the reply is empty".to_owned();
    }
    let mut told: String = words.chars().take(TOLD).collect();
    if told.len() < words.len() {
        told.push('…');
    }
    told
}

/// A text without what stands between angle brackets, with single blanks.
fn visible(text: &str) -> String {
    let mut is_markup = false;
    let shown: String = text
        .chars()
        .map(|letter| match letter {
            '<' => {
                is_markup = true;
                ' '
            }
            '>' if is_markup => {
                is_markup = false;
                ' '
            }
            _ if is_markup || letter.is_control() => ' ',
            _ => letter,
        })
        .collect();
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::body::SdkBody;

    use super::*;

    fn told(body: &str) -> String {
        let status = 403.try_into().expect("a status");
        words(&HttpResponse::new(status, SdkBody::from(body)))
    }

    #[test]
    fn a_foreign_reply_is_told_by_its_first_words() {
        let page = "<html>\n<head><title>403 Forbidden</title></head><body>Blocked by policy.</body></html>";
        assert_eq!(told(page), "403 Forbidden Blocked by policy.");
        assert_eq!(told(" <html></html> "), "the reply is empty");
        assert_eq!(told(""), "the reply is empty");
        let long = told(&"word ".repeat(99));
        assert_eq!(long.chars().count(), TOLD + 1);
        assert!(long.ends_with('…'), "{long}");
    }

    #[test]
    fn a_foreign_reply_means_what_its_status_says() {
        use FailureKind as K;
        for (status, expected) in [
            (200, K::NoReply),
            (302, K::Refused),
            (400, K::Refused),
            (403, K::AccessDenied),
            (404, K::Refused),
            (407, K::Refused),
            (408, K::ServiceFault),
            (429, K::Throttled),
            (502, K::ServiceFault),
            (503, K::ServiceFault),
        ] {
            assert_eq!(kind(status), expected, "{status}");
        }
    }
}
