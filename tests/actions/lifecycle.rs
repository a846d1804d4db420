//! From the first push to the end of a pull request.

use crate::shop::Shop;

const APP: &str = "app: {port: 8080}\n";
const ONE: &str = "registry.test/hello:1";
const TWO: &str = "registry.test/hello:2";

const DEPLOYED: [(&str, &str); 6] = [
    ("decide", "success"),
    ("validate", "success"),
    ("prepare", "success"),
    ("build", "success"),
    ("deploy", "success"),
    ("comment", "success"),
];

const DESTROYED: [(&str, &str); 3] = [
    ("decide", "success"),
    ("destroy", "success"),
    ("comment", "success"),
];

#[test]
fn opened_pushed_and_closed() {
    let shop = Shop::new("minimal.yml", APP, ONE);
    shop.run("opened").jobs(&DEPLOYED);
    let first = shop.comment_says(&[&shop.url()]);
    shop.page_has("VERSION");

    let sha = shop.push(APP, TWO);
    shop.run("synchronize").jobs(&DEPLOYED);
    let second = shop.comment_says(&[&shop.url(), &sha[..7]]);
    assert_eq!(first, second, "it is the same comment");

    shop.run("closed").jobs(&DESTROYED);
    assert!(!shop.is_there());
    let last = shop.comment_says(&["destroyed"]);
    assert_eq!(first, last, "it is the same comment");
}
