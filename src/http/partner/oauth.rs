//! OAuth 2.0 for clients that send forms, as its libraries do: client authentication (RFC 6749 section 2.3.1) and errors
//! (section 5.2).
//!
//! JSON requests are answered with problem documents. So are forms where the RFC has no error of its own: above the rate
//! limit, and while the records are not available.

use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::extractors::{RawBody, has_media_type};
use super::problem::Problem;
use super::responses::ApiResponse;
use crate::core::ids::PartnerId;
use crate::core::secret::Secret;
use crate::service::partners::access::ClientCredentials;
use crate::service::partners::error::ApiError;

/// An error of RFC 6749 section 5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum OAuthErrorCode {
    InvalidRequest,
    InvalidClient,
    InvalidGrant,
    UnsupportedGrantType,
    InvalidScope,
}

/// What went wrong with a form (RFC 6749 section 5.2).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct OAuthError {
    /// A stable word, for programs.
    error: OAuthErrorCode,
    /// For people: its words may change.
    error_description: String,
}

/// Why a form is not answered as asked.
pub(super) enum Rejection {
    OAuth(OAuthError),
    Problem(Problem),
}

impl Rejection {
    pub(super) fn new(error: OAuthErrorCode, description: impl Into<String>) -> Self {
        Self::OAuth(OAuthError {
            error,
            error_description: description.into(),
        })
    }
}

impl From<ApiError> for Rejection {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Unauthenticated | ApiError::WrongEnvironment => {
                Self::new(OAuthErrorCode::InvalidClient, error.to_string())
            }
            ApiError::Invalid(errors) => {
                let detail = errors.into_iter().next().map(|error| error.detail);
                Self::new(OAuthErrorCode::InvalidGrant, detail.unwrap_or_default())
            }
            error => Self::Problem(error.into()),
        }
    }
}

/// The response to a form. The cache headers are those of RFC 6749 section 5.1; `Cache-Control` is set for all responses.
pub(super) fn form_response(result: Result<HttpResponse, Rejection>) -> ApiResponse {
    let error = match result {
        Ok(response) => return Ok(response),
        Err(Rejection::Problem(problem)) => return Err(problem),
        Err(Rejection::OAuth(error)) => error,
    };
    let unauthenticated = error.error == OAuthErrorCode::InvalidClient;
    let mut response = HttpResponse::build(if unauthenticated {
        StatusCode::UNAUTHORIZED
    } else {
        StatusCode::BAD_REQUEST
    });
    if unauthenticated {
        response.insert_header((WWW_AUTHENTICATE, "Basic realm=\"kiungo\", charset=\"UTF-8\""));
    }
    let mut response = response.json(&error);
    // Tells the middleware that this error has its body.
    response.extensions_mut().insert(error);
    Ok(response)
}

/// Whether the request is a form.
pub(super) fn is_form(request: &HttpRequest) -> bool {
    has_media_type(request, "application/x-www-form-urlencoded")
}

/// The fields of a form. Unknown ones are ignored, repeated ones refused (RFC 6749 section 3.2).
pub(super) fn form_fields<T: DeserializeOwned>(request: &HttpRequest) -> Result<T, Rejection> {
    let extensions = request.extensions();
    let body = extensions.get::<RawBody>().map_or(&[][..], |body| body.0.as_slice());
    serde_urlencoded::from_bytes(body).map_err(|_| {
        Rejection::new(
            OAuthErrorCode::InvalidRequest,
            "the form cannot be read, or repeats a parameter",
        )
    })
}

/// A parameter without a value counts as left out (RFC 6749 section 3.1).
pub(super) fn present(field: Option<Secret>) -> Option<Secret> {
    field.filter(|value| !value.expose().is_empty())
}

/// The client's credentials, from `Authorization: Basic` or from the form's own fields, but not from both.
pub(super) fn client_credentials(
    request: &HttpRequest,
    id: Option<Secret>,
    secret: Option<Secret>,
) -> Result<ClientCredentials, Rejection> {
    let (id, secret) = (present(id), present(secret));
    let Some((user, password)) = basic_credentials(request)? else {
        let unauthenticated = || Rejection::from(ApiError::Unauthenticated);
        let (id, secret) = id.zip(secret).ok_or_else(unauthenticated)?;
        return Ok(credentials(id.expose(), secret));
    };
    if secret.is_some() || id.is_some_and(|id| id.expose() != user.as_str()) {
        let detail = "authenticate in the header or in the form, not in both";
        return Err(Rejection::new(OAuthErrorCode::InvalidRequest, detail));
    }
    Ok(credentials(&user, Secret::new(password.as_str())))
}

/// An id that is not a UUID is nobody's: it fails like a wrong key, and counts like one.
fn credentials(id: &str, secret: Secret) -> ClientCredentials {
    ClientCredentials {
        id: PartnerId::parse(id).unwrap_or(PartnerId::from_bytes([0; 16])),
        secret,
    }
}

type UserAndPassword = (Zeroizing<String>, Zeroizing<String>);

/// User and password of `Authorization: Basic`, if there is such a header. One that cannot be read is no valid key.
fn basic_credentials(request: &HttpRequest) -> Result<Option<UserAndPassword>, Rejection> {
    let header = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let (scheme, encoded) = header.and_then(|header| header.split_once(' ')).unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("basic") {
        return Ok(None);
    }
    let decode = || {
        let bytes = Zeroizing::new(STANDARD.decode(encoded.trim()).ok()?);
        let (user, password) = std::str::from_utf8(&bytes).ok()?.split_once(':')?;
        Some((form_decoded(user)?, form_decoded(password)?))
    };
    decode().map(Some).ok_or_else(|| ApiError::Unauthenticated.into())
}

/// Both are form-encoded before they are put together.
fn form_decoded(text: &str) -> Option<Zeroizing<String>> {
    let spaced = Zeroizing::new(text.replace('+', " "));
    let decoded = percent_decode_str(&spaced).decode_utf8().ok()?;
    Some(Zeroizing::new(decoded.into_owned()))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn read(authorization: &str) -> Result<Option<(String, String)>, ()> {
        let request = TestRequest::default().insert_header((AUTHORIZATION, authorization));
        let found = basic_credentials(&request.to_http_request()).map_err(|_| ())?;
        Ok(found.map(|(user, password)| (user.to_string(), password.to_string())))
    }

    /// Basic credentials are decoded twice: from Base64, and each from a form (RFC 6749 section 2.3.1).
    #[test]
    fn basic_credentials_are_decoded() {
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        for (header, want) in [
            (basic("a:b"), Ok(Some(("a", "b")))),
            (basic("a:b").replace("Basic", "bAsIc"), Ok(Some(("a", "b")))),
            (basic("a%3Ab+c:%2B%25:"), Ok(Some(("a:b c", "+%:")))),
            (basic("a:"), Ok(Some(("a", "")))),
            (basic("a"), Err(())),
            (basic("a:%FF"), Err(())),
            ("Basic ?".to_owned(), Err(())),
            ("Bearer a".to_owned(), Ok(None)),
            ("Basic".to_owned(), Ok(None)),
        ] {
            let want = want
                .map(|want: Option<(&str, &str)>| want.map(|(user, password)| (user.to_owned(), password.to_owned())));
            assert_eq!(read(&header), want, "{header}");
        }
    }
}
