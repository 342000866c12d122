use faas_sdk_core::{Error, ErrorKind, HttpRequest, PathParameters};
use http::Method;
use std::collections::BTreeMap;

/// HTTP routes: `matchit` for paths, and the methods of each path.
#[derive(Default)]
pub(crate) struct Routes {
    paths: matchit::Router<usize>,
    methods: Vec<Methods>,
    by_pattern: BTreeMap<String, usize>,
}

/// The methods of one path with what they lead to; `None` is any method.
type Methods = Vec<(Option<Method>, usize)>;

impl Routes {
    /// Adds a route that leads to `target`.
    pub(crate) fn add(
        &mut self,
        method: Option<Method>,
        path: &str,
        target: usize,
    ) -> Result<(), String> {
        let index = match self.by_pattern.get(path) {
            Some(index) => *index,
            None => {
                let index = self.methods.len();
                self.paths
                    .insert(path, index)
                    .map_err(|error| format!("the path `{path}` can't be a route: {error}"))?;
                self.methods.push(Vec::new());
                self.by_pattern.insert(path.to_owned(), index);
                index
            }
        };
        if self.methods[index]
            .iter()
            .any(|(taken, _)| *taken == method)
        {
            let method = method.as_ref().map_or("any method", Method::as_str);
            return Err(format!("the route `{path}` has two handlers for {method}"));
        }
        self.methods[index].push((method, target));
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.methods.is_empty()
    }

    /// Whether a request of this method and path would be taken.
    pub(crate) fn takes(&self, method: &Method, path: &str) -> bool {
        self.paths.at(path).is_ok_and(|found| {
            self.methods[*found.value]
                .iter()
                .any(|(of, _)| of.as_ref().is_none_or(|of| of == method))
        })
    }

    /// Finds the target of a request and puts the path parameters, decoded, in its extensions.
    /// `None` if no path fits. A route for GET answers HEAD too.
    pub(crate) fn find(&self, request: &mut HttpRequest) -> Result<Option<usize>, Error> {
        let path = request.uri().path();
        let Ok(found) = self.paths.at(path) else {
            return Ok(None);
        };
        let methods = &self.methods[*found.value];
        let method = request.method();
        let of = |wanted: Option<&Method>| {
            methods
                .iter()
                .find(|(method, _)| method.as_ref() == wanted)
                .map(|(_, target)| *target)
        };
        let get = || {
            (method == Method::HEAD)
                .then(|| of(Some(&Method::GET)))
                .flatten()
        };
        let Some(target) = of(Some(method)).or_else(get).or_else(|| of(None)) else {
            let allowed: Vec<_> = methods
                .iter()
                .flat_map(|(method, _)| method)
                .map(Method::as_str)
                .collect();
            let message = format!("{path} does not take {method}");
            let error = Error::new(ErrorKind::MethodNotAllowed, message);
            return Err(error.with_context("allow", allowed.join(", ")));
        };
        let mut parameters = Vec::with_capacity(found.params.len());
        for (name, value) in found.params.iter() {
            let value = percent_encoding::percent_decode_str(value).decode_utf8();
            let Ok(value) = value else {
                let message = format!("the path parameter `{name}` is not UTF-8");
                return Err(Error::new(ErrorKind::InvalidInput, message));
            };
            parameters.push((name.to_owned(), value.into_owned()));
        }
        request
            .extensions_mut()
            .insert(PathParameters::from_iter(parameters));
        Ok(Some(target))
    }
}

/// Splits `GET /items/{id}` or `/items/{id}`.
pub(crate) fn parse(pattern: &str) -> Result<(Option<Method>, &str), String> {
    let (method, path) = match pattern.split_once(' ') {
        Some((method, path)) => {
            let method = Method::from_bytes(method.as_bytes())
                .ok()
                .filter(|method| {
                    method
                        .as_str()
                        .bytes()
                        .all(|byte| byte.is_ascii_uppercase())
                })
                .ok_or_else(|| format!("`{method}` in the route `{pattern}` is not a method"))?;
            (Some(method), path.trim_start())
        }
        None => (None, pattern),
    };
    if !path.starts_with('/') {
        return Err(format!(
            "the path of the route `{pattern}` does not start with a slash"
        ));
    }
    Ok((method, path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use faas_sdk_core::Body;

    fn routes(patterns: &[&str]) -> Routes {
        let mut routes = Routes::default();
        for (target, pattern) in patterns.iter().enumerate() {
            let (method, path) = parse(pattern).expect(pattern);
            routes.add(method, path, target).expect(pattern);
        }
        routes
    }

    fn request(method: &str, path: &str) -> HttpRequest {
        http::Request::builder()
            .method(method)
            .uri(path)
            .body(Body::empty())
            .expect("a request")
    }

    #[test]
    fn finds_by_path_and_method_and_decodes_parameters() {
        let routes = routes(&[
            "GET /items/{id}",
            "POST /items/{id}",
            "/files/{*path}",
            "GET /items/new",
        ]);
        for (method, path, target) in [
            ("GET", "/items/7?x=1", Some(0)),
            ("HEAD", "/items/7", Some(0)),
            ("POST", "/items/7", Some(1)),
            ("PURGE", "/files/a/b", Some(2)),
            ("GET", "/items/new", Some(3)),
            ("GET", "/items", None),
            ("GET", "/files", None),
        ] {
            assert_eq!(
                routes.find(&mut request(method, path)).expect(path),
                target,
                "{path}"
            );
        }
        let mut encoded = request("GET", "/items/a%2Fb%20%E2%82%AC");
        routes.find(&mut encoded).expect("it decodes");
        let parameters = encoded
            .extensions()
            .get::<PathParameters>()
            .expect("parameters");
        assert_eq!(parameters.get("id"), Some("a/b €"));
    }

    #[test]
    fn says_why_not() {
        let routes = routes(&["GET /items/{id}", "PUT /items/{id}"]);
        let error = routes
            .find(&mut request("DELETE", "/items/7"))
            .expect_err("not allowed");
        assert_eq!(error.kind(), ErrorKind::MethodNotAllowed);
        assert_eq!(error.context(), [("allow", "GET, PUT".to_owned())]);
        let error = routes
            .find(&mut request("GET", "/items/%ff"))
            .expect_err("no UTF-8");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }

    #[test]
    fn bad_routes_are_refused() {
        assert!(parse("get /x").is_err() && parse("GET x").is_err() && parse("x").is_err());
        let mut routes = routes(&["GET /items/{id}"]);
        assert!(routes.add(Some(Method::GET), "/items/{id}", 1).is_err());
        assert!(routes.add(None, "/items/{other}", 1).is_err());
    }
}
