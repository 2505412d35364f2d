//! What handlers take from a request that the gate has let in.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::IntoParams;
use zeroize::Zeroizing;

use super::problem::Problem;
use crate::core::page::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, PageCursor, PageRequest};
use crate::service::partners::{ApiError, RequestContext};

/// The body, read to its end.
pub(super) struct RawBody(pub(super) Zeroizing<Vec<u8>>);

/// Who asks. There only on routes that are called with a token.
pub(super) struct Auth(pub(super) RequestContext);

impl FromRequest for Auth {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let asked = request.extensions().get::<RequestContext>().cloned();
        ready(
            asked
                .map(Auth)
                .ok_or_else(|| Problem::from(ApiError::Unauthenticated).into()),
        )
    }
}

/// The body as JSON. Members that are not known are refused.
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest for Json<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse_json(request).map(Json))
    }
}

/// The body as JSON, where there may be none: then everything is left out.
pub(super) struct OptionalJson<T>(pub(super) T);

impl<T: DeserializeOwned + Default> FromRequest for OptionalJson<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let empty = request
            .extensions()
            .get::<RawBody>()
            .is_none_or(|whole| whole.0.is_empty());
        ready(if empty { Ok(T::default()) } else { parse_json(request) }.map(Self))
    }
}

fn parse_json<T: DeserializeOwned>(request: &HttpRequest) -> Result<T, Problem> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let essence = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(Problem::unsupported_media_type());
    }
    let extensions = request.extensions();
    let bytes = extensions.get::<RawBody>().map_or(&[][..], |whole| whole.0.as_slice());
    // First whether it is JSON at all, then whether it is what is wanted: the two are different faults.
    let value: Value = serde_json::from_slice(bytes).map_err(|_| Problem::malformed())?;
    serde_path_to_error::deserialize(value).map_err(|error| field_error(&error).into())
}

/// What is wrong, and where. What the library says may quote what was sent, so it is put in words of ours.
fn field_error(error: &serde_path_to_error::Error<serde_json::Error>) -> ApiError {
    let said = error.inner().to_string();
    let named = said.split('`').nth(1);
    // What is expected stands in our own sources.
    let expected = said
        .rsplit_once(", expected ")
        .map_or("another value", |(_, expected)| expected);
    let (code, detail, member) = if said.starts_with("unknown field") {
        ("unknown", "there is no such member".to_owned(), named)
    } else if said.starts_with("missing field") {
        ("required", "this member is missing".to_owned(), named)
    } else if said.starts_with("invalid type") {
        ("wrong_type", format!("say {expected}"), None)
    } else if said.starts_with("unknown variant") {
        ("invalid", format!("say {expected}"), None)
    } else {
        ("invalid", "this is not a value there can be".to_owned(), None)
    };
    let mut pointer = String::new();
    for segment in error.path() {
        match segment {
            serde_path_to_error::Segment::Seq { index } => pointer += &pointer_segment(&index.to_string()),
            serde_path_to_error::Segment::Map { key } => pointer += &pointer_segment(key),
            serde_path_to_error::Segment::Enum { variant } => pointer += &pointer_segment(variant),
            serde_path_to_error::Segment::Unknown => {}
        }
    }
    // The path of an unknown member already ends in it.
    if let Some(member) = member.filter(|member| !pointer.ends_with(&pointer_segment(member))) {
        pointer += &pointer_segment(member);
    }
    ApiError::field(&pointer, code, detail)
}

/// A member in a JSON pointer (RFC 6901).
fn pointer_segment(member: &str) -> String {
    format!("/{}", member.replace('~', "~0").replace('/', "~1"))
}

/// The parameters of a list, each once at most. Those that are not known are refused.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let chosen = web::Query::<T>::from_query(request.query_string());
        let unknown = || ApiError::field("?", "unknown", "say parameters that there are, each once").into();
        ready(chosen.map(|chosen| Self(chosen.into_inner())).map_err(|_| unknown()))
    }
}

/// The page of a list that is asked for.
pub(super) struct PageQuery(pub(super) PageRequest);

/// As the query says it.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// Rows on the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 25)]
    limit: Option<String>,
    /// The `next_cursor` of the page before.
    #[param(min_length = 32, max_length = 32, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

impl FromRequest for PageQuery {
    type Error = Problem;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(page_from_query(request.query_string()).map(PageQuery))
    }
}

fn page_from_query(query: &str) -> Result<PageRequest, Problem> {
    let wanted = web::Query::<ListQuery>::from_query(query);
    let wanted = wanted.map_err(|_| ApiError::field("?", "unknown", "say limit and cursor, each once, or neither"))?;
    parse_page(wanted.limit.as_deref(), wanted.cursor.as_deref())
}

/// A page out of the two parameters that say which.
pub(super) fn parse_page(limit: Option<&str>, cursor: Option<&str>) -> Result<PageRequest, Problem> {
    let limit = limit.map_or(Some(DEFAULT_PAGE_SIZE), |limit| {
        limit.parse().ok().filter(|limit| (1..=MAX_PAGE_SIZE).contains(limit))
    });
    let limit = limit.ok_or_else(|| ApiError::field("?limit", "out_of_range", format!("1 to {MAX_PAGE_SIZE}")))?;
    let unknown = || ApiError::field("?cursor", "unknown", "hand back what next_cursor was");
    let after = cursor
        .map(|cursor| PageCursor::parse(cursor).ok_or_else(unknown))
        .transpose()?;
    Ok(PageRequest { limit, after })
}

/// The id in the path. What is no id is not there.
pub(super) fn parse_id<T>(text: &str, parse: impl FnOnce(&str) -> Result<T, uuid::Error>) -> Result<T, Problem> {
    // Other ways of writing a UUID would be other addresses of the same thing.
    let hyphenated = text.len() == 36;
    let id = if hyphenated { parse(text).ok() } else { None };
    id.ok_or_else(|| ApiError::NotFound.into())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[serde(rename = "n")]
        _n: u8,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[serde(rename = "inner")]
        _inner: Option<Vec<Inner>>,
        #[serde(rename = "map")]
        _map: Option<BTreeMap<String, Inner>>,
    }

    /// What is wrong in a body is pointed at, and never quoted.
    #[test]
    fn faults_are_pointed_at() {
        for (sent, pointer, code) in [
            (r#"{"inner":[{"n":1},{"n":"Zq7"}]}"#, "/inner/1/n", "wrong_type"),
            (r#"{"inner":[{"n":300}]}"#, "/inner/0/n", "invalid"),
            (r#"{"inner":[{}]}"#, "/inner/0/n", "required"),
            (r#"{"inner":[{"n":1,"Zq7":2}]}"#, "/inner/0/Zq7", "unknown"),
            (r#"{"Zq7":2}"#, "/Zq7", "unknown"),
            (r#"{"map":{"a/b~c":{"n":null}}}"#, "/map/a~1b~0c/n", "wrong_type"),
            (r#""Zq7""#, "", "wrong_type"),
        ] {
            let value: Value = serde_json::from_str(sent).unwrap();
            let error = serde_path_to_error::deserialize::<_, Outer>(value).unwrap_err();
            let ApiError::Invalid(found) = field_error(&error) else {
                panic!("{sent}");
            };
            assert_eq!((found[0].pointer.as_str(), found[0].code), (pointer, code), "{sent}");
            assert!(!found[0].detail.contains("Zq7"), "{sent}");
        }
    }

    /// Pages are as asked, within their bounds; whatever else is asked is a fault.
    #[test]
    fn pages_are_as_asked() {
        let cursor = PageCursor::START.to_text();
        for (query, limit) in [
            (String::new(), DEFAULT_PAGE_SIZE),
            ("limit=1".to_owned(), 1),
            (format!("limit=100&cursor={cursor}"), 100),
        ] {
            assert_eq!(
                page_from_query(&query).ok().map(|page| page.limit),
                Some(limit),
                "{query}"
            );
        }
        for query in [
            "limit=0",
            "limit=101",
            "limit=x",
            "limit=",
            "cursor=x",
            "limit=1&limit=2",
            "page=1",
        ] {
            assert!(page_from_query(query).is_err(), "{query}");
        }
    }
}
