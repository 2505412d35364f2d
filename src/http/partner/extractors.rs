//! What handlers extract from a request that the middleware has let in.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use serde::Deserialize;
use serde::de::value::Error as ValueError;
use serde::de::{DeserializeOwned, IntoDeserializer};
use utoipa::IntoParams;
use zeroize::Zeroizing;

use super::problem::Problem;
use crate::core::ids::PartnerId;
use crate::core::json::{self, JsonError, pointer_segment};
use crate::core::page::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, PageCursor, PageRequest};
use crate::service::partners::context::RequestContext;
use crate::service::partners::error::ApiError;

/// The complete body.
pub(super) struct RawBody(pub(super) Zeroizing<Vec<u8>>);

/// Who calls. Present only on routes that take a token.
pub(super) struct Auth(pub(super) RequestContext);

impl FromRequest for Auth {
    type Error = Problem;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let context = request.extensions().get::<RequestContext>().cloned();
        ready(context.map(Self).ok_or_else(|| ApiError::Unauthenticated.into()))
    }
}

/// The partner whose publishable key the request carries. Present only on routes that take one.
#[derive(Clone, Copy)]
pub(super) struct PublishableKeyOwner(pub(super) PartnerId);

impl FromRequest for PublishableKeyOwner {
    type Error = Problem;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let owner = request.extensions().get::<Self>().copied();
        ready(owner.ok_or_else(|| ApiError::Unauthenticated.into()))
    }
}

/// The `{id}` of the path. Text that is not an id is answered like an id that does not exist.
pub(super) struct PathId<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest for PathId<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let text = request.match_info().get("id").unwrap_or_default();
        // Other spellings of a UUID would be other addresses of the same object.
        let hyphenated = Some(text).filter(|text| text.len() == 36);
        let id =
            hyphenated.and_then(|text| T::deserialize(IntoDeserializer::<ValueError>::into_deserializer(text)).ok());
        ready(id.map(Self).ok_or_else(|| ApiError::NotFound.into()))
    }
}

/// The body as JSON. Unknown members are refused.
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest for Json<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse_json(request).map(Self))
    }
}

/// The body as JSON; without a body, the default.
pub(super) struct OptionalJson<T>(pub(super) T);

impl<T: DeserializeOwned + Default> FromRequest for OptionalJson<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let body = request.extensions();
        let empty = body.get::<RawBody>().is_none_or(|body| body.0.is_empty());
        ready(if empty { Ok(T::default()) } else { parse_json(request) }.map(Self))
    }
}

/// Whether the body is declared to be of this media type, whatever its parameters.
pub(super) fn has_media_type(request: &HttpRequest, media_type: &str) -> bool {
    let declared = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = declared.and_then(|value| value.split(';').next()).unwrap_or_default();
    essence.trim().eq_ignore_ascii_case(media_type)
}

pub(super) fn parse_json<T: DeserializeOwned>(request: &HttpRequest) -> Result<T, Problem> {
    if !has_media_type(request, "application/json") {
        return Err(Problem::unsupported_media_type());
    }
    let extensions = request.extensions();
    let bytes = extensions.get::<RawBody>().map_or(&[][..], |body| body.0.as_slice());
    // Text that is not JSON and JSON of the wrong shape are different faults.
    let value = json::parse(bytes).map_err(|error| match error {
        JsonError::Malformed => Problem::malformed(),
        JsonError::Duplicate(pointer) => ApiError::field(&pointer, "duplicate", "this member is there twice").into(),
    })?;
    serde_path_to_error::deserialize(value).map_err(|error| field_error(&error).into())
}

/// What is wrong, and where. The library's message may quote the request, so it is replaced by our own words.
fn field_error(error: &serde_path_to_error::Error<serde_json::Error>) -> ApiError {
    let message = error.inner().to_string();
    let named = message.split('`').nth(1);
    // What is expected is a text of our own sources.
    let expected = message
        .rsplit_once(", expected ")
        .map_or("another value", |(_, expected)| expected);
    let (code, detail, member) = if message.starts_with("unknown field") {
        ("unknown", "there is no such member".to_owned(), named)
    } else if message.starts_with("missing field") {
        ("required", "this member is missing".to_owned(), named)
    } else if message.starts_with("invalid type") {
        ("wrong_type", format!("say {expected}"), None)
    } else if message.starts_with("unknown variant") {
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
    // The path of an unknown member already ends with it.
    if let Some(member) = member.filter(|member| !pointer.ends_with(&pointer_segment(member))) {
        pointer += &pointer_segment(member);
    }
    ApiError::field(&pointer, code, detail)
}

/// The parameters of every list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// Rows on the page.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 25)]
    limit: Option<String>,
    /// The `next_cursor` of the previous page.
    #[param(min_length = 32, max_length = 32, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

impl ListQuery {
    const PARAMETERS: [&str; 2] = ["limit", "cursor"];

    fn page(&self) -> Result<PageRequest, ApiError> {
        let limit = self.limit.as_ref().map_or(Some(DEFAULT_PAGE_SIZE), |limit| {
            limit.parse().ok().filter(|limit| (1..=MAX_PAGE_SIZE).contains(limit))
        });
        let limit = limit.ok_or_else(|| ApiError::field("?limit", "out_of_range", format!("1 to {MAX_PAGE_SIZE}")))?;
        let unknown = || ApiError::field("?cursor", "unknown", "pass next_cursor of the previous page");
        let after = self
            .cursor
            .as_ref()
            .map(|cursor| PageCursor::parse(cursor).ok_or_else(unknown));
        Ok(PageRequest {
            limit,
            after: after.transpose()?,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoFilter {}

/// The page of a list that takes no other parameters.
pub(super) struct PageQuery(pub(super) PageRequest);

impl FromRequest for PageQuery {
    type Error = Problem;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let query = parse_query::<NoFilter>(request.query_string());
        ready(query.map(|(_, page)| Self(page)).map_err(Problem::from))
    }
}

/// A list's own filters, and the page. Unknown and repeated parameters are refused.
pub(super) struct Query<T>(pub(super) T, pub(super) PageRequest);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let query = parse_query(request.query_string());
        ready(query.map(|(filter, page)| Self(filter, page)).map_err(Problem::from))
    }
}

fn parse_query<T: DeserializeOwned>(query: &str) -> Result<(T, PageRequest), ApiError> {
    let unknown = || ApiError::field("?", "unknown", "use parameters that exist, each at most once");
    let parameters: Vec<(String, String)> = serde_urlencoded::from_str(query).map_err(|_| unknown())?;
    let (page, filter): (Vec<_>, Vec<_>) = parameters
        .into_iter()
        .partition(|(name, _)| ListQuery::PARAMETERS.contains(&name.as_str()));
    let page: ListQuery = typed(&page).ok_or_else(unknown)?;
    Ok((typed(&filter).ok_or_else(unknown)?, page.page()?))
}

fn typed<T: DeserializeOwned>(parameters: &[(String, String)]) -> Option<T> {
    serde_urlencoded::from_str(&serde_urlencoded::to_string(parameters).ok()?).ok()
}
#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

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

    fn page(query: &str) -> Result<PageRequest, ApiError> {
        parse_query::<NoFilter>(query).map(|(_, page)| page)
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
            assert_eq!(page(&query).map(|page| page.limit), Ok(limit), "{query}");
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
            assert!(page(query).is_err(), "{query}");
        }
    }
}
