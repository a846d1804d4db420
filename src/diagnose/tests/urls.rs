//! URLs that do not answer as they should.

use insta::assert_snapshot;

use super::build::{Case, State};
use crate::diagnose::UrlOutcome;

#[test]
fn not_routed() {
    let case = Case::app()
        .pod("app", &State::ready())
        .url("/health", UrlOutcome::Status(404));
    assert_snapshot!(case.report(), @"
    error[url-not-routed]: https://shop-pr-12.preview.example.com/health answers 404 although the pod answers that path: the ingress controller does not know the host
      | GET https://shop-pr-12.preview.example.com/health: 404
    hint: have the platform engineer check that the ingress class of the platform settings is the one of the controller
      $ kubectl -n shop-pr-12 describe ingress
    fatal: no
    ");
}

#[test]
fn no_such_page() {
    let case = Case::app()
        .pod("app", &State::ready())
        .url("/", UrlOutcome::Status(404));
    assert_snapshot!(case.report(), @"
    error[url-status]: https://shop-pr-12.preview.example.com/ answers 404: the service has no such page, or the ingress controller does not know the host
      | GET https://shop-pr-12.preview.example.com/: 404
    hint: let the service answer this path, or look whether the Ingress has an address
      $ kubectl -n shop-pr-12 describe ingress
    fatal: no
    ");
}

#[test]
fn bad_gateway() {
    let case = Case::app()
        .pod("app", &State::ready())
        .url("/health", UrlOutcome::Status(502));
    assert_snapshot!(case.report(), @"
    error[url-status]: https://shop-pr-12.preview.example.com/health answers 502: the ingress controller does not reach the pod
      | GET https://shop-pr-12.preview.example.com/health: 502
    hint: have the platform engineer check that `ingress.controller` of the platform settings selects the controller's pods: only they may reach the environment; whether the network policies let them in:
      $ k8s-ee doctor --pr 12
    fatal: no
    ");
}

#[test]
fn no_endpoints() {
    let case = Case::app()
        .pod("app", &State::ready())
        .url("/health", UrlOutcome::Status(503));
    assert_snapshot!(case.report(), @"
    error[url-status]: https://shop-pr-12.preview.example.com/health answers 503: the ingress controller finds no pod behind it, or the service says that it is overloaded
      | GET https://shop-pr-12.preview.example.com/health: 503
    hint: look whether the service has endpoints
      $ kubectl -n shop-pr-12 get endpointslices
    fatal: no
    ");
}

#[test]
fn login_wanted() {
    let case = Case::app()
        .pod("app", &State::ready())
        .url("/health", UrlOutcome::Status(401));
    assert_snapshot!(case.report(), @"
    error[url-status]: https://shop-pr-12.preview.example.com/health answers 401: something asks for a login
      --> `ingress.annotations` in k8s-ee.yaml
      | GET https://shop-pr-12.preview.example.com/health: 401
    hint: answer the health path without login, or take the annotation away that asks for one
    fatal: no
    ");
}

#[test]
fn server_error() {
    let case = Case::app()
        .pod("app", &State::ready())
        .url("/health", UrlOutcome::Status(500));
    assert_snapshot!(case.report(), @"
    error[url-status]: https://shop-pr-12.preview.example.com/health answers 500
      | GET https://shop-pr-12.preview.example.com/health: 500
    hint: fix the error in its log
      $ kubectl -n shop-pr-12 logs deployment/app
    fatal: no
    ");
}

#[test]
fn refused() {
    let case = Case::app()
        .pod("app", &State::ready())
        .url("/health", UrlOutcome::Refused);
    assert_snapshot!(case.report(), @"
    error[url-unreachable]: nothing listens at the address of shop-pr-12.preview.example.com
      | GET https://shop-pr-12.preview.example.com/health: connection refused
    hint: have the platform engineer check that the DNS record points to the ingress controller
      $ nslookup shop-pr-12.preview.example.com
    fatal: no
    ");
}

#[test]
fn timed_out() {
    let case = Case::app()
        .pod("app", &State::ready())
        .url("/health", UrlOutcome::TimedOut);
    assert_snapshot!(case.report(), @"
    error[url-unreachable]: https://shop-pr-12.preview.example.com/health does not answer
      | GET https://shop-pr-12.preview.example.com/health: no answer in time
    hint: have the platform engineer check the way to the ingress controller (DNS record, load balancer, firewall), and from it to the pod; whether the network policies let it in:
      $ k8s-ee doctor --pr 12
    fatal: no
    ");
}

#[test]
fn no_address() {
    let case = Case::app()
        .pod("app", &State::ready())
        .url("/health", UrlOutcome::Dns("no such host".to_owned()));
    assert_snapshot!(case.report(), @"
    error[dns-failed]: the host shop-pr-12.preview.example.com has no address
      | GET https://shop-pr-12.preview.example.com/health: no such host
    hint: have the platform engineer add the DNS record `*.preview.example.com` with the address of the ingress controller
      $ nslookup shop-pr-12.preview.example.com
    fatal: no
    ");
}

#[test]
fn not_trusted() {
    let case = Case::app().pod("app", &State::ready()).url(
        "/health",
        UrlOutcome::Tls("invalid peer certificate: UnknownIssuer".to_owned()),
    );
    assert_snapshot!(case.report(), @"
    error[tls-failed]: shop-pr-12.preview.example.com has no certificate that is trusted
      | GET https://shop-pr-12.preview.example.com/health: invalid peer certificate: UnknownIssuer
    hint: wait for the certificate if it is made for each host; otherwise have the platform engineer set `ingress.tlsSecretName`, or `ingress.tls: false`, in the platform settings
      $ kubectl -n shop-pr-12 describe ingress
    fatal: no
    ");
}

#[test]
fn something_else() {
    let case = Case::app().pod("app", &State::ready()).url(
        "/health",
        UrlOutcome::Other("connection reset by peer".to_owned()),
    );
    assert_snapshot!(case.report(), @"
    error[url-unreachable]: https://shop-pr-12.preview.example.com/health cannot be asked
      | GET https://shop-pr-12.preview.example.com/health: connection reset by peer
    hint: try it by hand
      $ curl -v https://shop-pr-12.preview.example.com/health
    fatal: no
    ");
}

#[test]
fn redirect_is_well() {
    let case = Case::app()
        .pod("app", &State::ready())
        .url("/health", UrlOutcome::Status(302));
    assert_snapshot!(case.report(), @"fatal: no");
}

#[test]
fn a_service_that_is_down_says_more_than_its_url() {
    let case = Case::app()
        .pod("app", &State::crashed(1, "Error", 3))
        .url("/health", UrlOutcome::Status(503));
    assert_snapshot!(case.report(), @"
    error[container-exited]: app exits with code 1
      | Pod app-new-1, container app: Error, exit code 1, restarted 3 times
    hint: fix the error in its log; the whole log:
      $ kubectl -n shop-pr-12 logs app-new-1 -c app --previous
    fatal: container-exited
    ");
}
