//! The patterns of the schema, each with words for people.
//!
//! Rust, JavaScript and the schema read them alike: no look-around, no classes but ASCII ones.

/// Names that become part of the namespace and the host.
pub(super) const PROJECT_ID: &str = "^[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?$";
/// Names of services, which become names of objects and hosts.
pub(super) const SERVICE_NAME: &str = "^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$";
/// Paths of HTTP requests.
pub(super) const HTTP_PATH: &str = "^/.*";
/// Amounts of CPU.
pub(super) const CPU: &str = r"^([0-9]+m|[0-9]+(\.[0-9]{1,3})?)$";
/// Amounts of memory.
pub(super) const MEMORY: &str = "^[0-9]+(Mi|Gi)$";
/// Sizes of volumes.
pub(super) const VOLUME_SIZE: &str = "^[0-9]+(Mi|Gi|Ti)$";
/// Names of environment variables.
pub(super) const ENV_NAME: &str = "^[A-Za-z_][A-Za-z0-9_]*$";
/// Names of Kubernetes objects.
pub(super) const OBJECT_NAME: &str = "^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$";
/// Spans of time.
pub(super) const DURATION: &str = "^[0-9]+(s|m|h)$";
/// Absolute directories in a container.
pub(super) const DIRECTORY: &str = "^/[a-zA-Z0-9._/-]+$";
/// Shares.
pub(super) const PERCENT: &str = "^(100|[1-9]?[0-9])%$";
/// Versions of database images, which are tags.
pub(super) const VERSION: &str = "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$";
/// Versions of MongoDB: what the chart runs in its container came with 6.0.
pub(super) const MONGODB_VERSION: &str = r"^([6-9]|[1-9][0-9]+)(\.[0-9]+)*(-[A-Za-z0-9_.-]+)?$";
/// Names of PostgreSQL databases and users.
pub(super) const POSTGRESQL_NAME: &str = "^[a-z_][a-z0-9_]{0,62}$";
/// Names of extensions of PostgreSQL.
pub(super) const EXTENSION: &str = "^[a-z0-9_]+(-[a-z0-9_]+)*$";
/// Names of settings of PostgreSQL; those of extensions have a dot.
pub(super) const POSTGRESQL_PARAMETER: &str = "^[A-Za-z_][A-Za-z0-9_.]*$";
/// Lines of `pg_hba.conf`: a rule or a comment.
pub(super) const HBA_LINE: &str =
    r"^[ \t]*(#|(local|host|hostssl|hostnossl|hostgssenc|hostnogssenc)[ \t])[^\r\n]*$";
/// Names of MongoDB databases and users.
pub(super) const MONGODB_NAME: &str = "^[a-zA-Z_][a-zA-Z0-9_-]{0,62}$";
/// Names of MariaDB databases.
pub(super) const MARIADB_NAME: &str = "^[a-zA-Z_][a-zA-Z0-9_]{0,62}$";
/// Names of MariaDB users.
pub(super) const MARIADB_USER: &str = "^[a-zA-Z_][a-zA-Z0-9_]{0,31}$";
/// Amounts of memory as Redis writes them.
pub(super) const REDIS_MEMORY: &str = "^[0-9]+(b|kb|mb|gb)?$";
/// Sizes as MariaDB writes them.
pub(super) const MARIADB_SIZE: &str = "^[0-9]+[KMG]?$";
/// Names of buckets.
pub(super) const BUCKET: &str = "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$";

/// Each pattern in words that complete "write …" and "must be …".
const IN_WORDS: &[(&str, &str)] = &[
    (
        PROJECT_ID,
        "1 to 20 lower-case letters, digits and `-`, with a letter or digit at both ends",
    ),
    (
        SERVICE_NAME,
        "1 to 30 lower-case letters, digits and `-`, starting with a letter and not ending with `-`",
    ),
    (HTTP_PATH, "a path that starts with `/`"),
    (
        CPU,
        "a number of cores, or of thousandths of a core with the unit `m`",
    ),
    (MEMORY, "a whole number with the unit `Mi` or `Gi`"),
    (
        VOLUME_SIZE,
        "a whole number with the unit `Mi`, `Gi` or `Ti`",
    ),
    (
        ENV_NAME,
        "letters, digits and `_`, not starting with a digit",
    ),
    (
        OBJECT_NAME,
        "lower-case letters, digits, `-` and `.`, with a letter or digit at both ends",
    ),
    (DURATION, "a whole number with the unit `s`, `m` or `h`"),
    (
        DIRECTORY,
        "an absolute path of letters, digits, `.`, `_`, `-` and `/`",
    ),
    (
        PERCENT,
        "a number of copies, or a share from `0%` to `100%`",
    ),
    (
        VERSION,
        "the tag of an image: letters, digits, `.`, `_` and `-`",
    ),
    (
        MONGODB_VERSION,
        "the tag of an image that begins with a number from `6` on",
    ),
    (
        EXTENSION,
        "lower-case letters, digits, `_` and single `-`, with no `-` at either end",
    ),
    (
        POSTGRESQL_PARAMETER,
        "letters, digits, `_` and `.`, not starting with a digit",
    ),
    (
        HBA_LINE,
        "one line that begins with `local`, `host`, `hostssl`, `hostnossl`, `hostgssenc`, `hostnogssenc` or `#`",
    ),
    (
        POSTGRESQL_NAME,
        "1 to 63 lower-case letters, digits and `_`, not starting with a digit",
    ),
    (
        MONGODB_NAME,
        "1 to 63 letters, digits, `_` and `-`, starting with a letter or `_`",
    ),
    (
        MARIADB_NAME,
        "1 to 63 letters, digits and `_`, not starting with a digit",
    ),
    (
        MARIADB_USER,
        "1 to 32 letters, digits and `_`, not starting with a digit",
    ),
    (
        REDIS_MEMORY,
        "a whole number with the unit `b`, `kb`, `mb` or `gb`",
    ),
    (MARIADB_SIZE, "a whole number with the unit `K`, `M` or `G`"),
    (
        BUCKET,
        "3 to 63 lower-case letters, digits, `-` and `.`, with a letter or digit at both ends",
    ),
];

/// The words of a pattern of ours.
pub(super) fn in_words(pattern: &str) -> Option<&'static str> {
    IN_WORDS
        .iter()
        .find(|(known, _)| *known == pattern)
        .map(|(_, words)| *words)
}
