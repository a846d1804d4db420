#!/bin/sh
# Puts the file $1 into MariaDB, as much of it in one transaction as MariaDB can: statements that change tables end one.
set -eu
case $1 in
*.gz)
  cd /tmp
  gunzip -c "$OLDPWD/$1" > "${1%.gz}"
  set -- "${1%.gz}"
  ;;
esac
export MYSQL_PWD="$MYSQL_PASSWORD"
# The file may leave another delimiter behind.
exec mariadb --no-defaults --skip-ssl --default-character-set=utf8mb4 \
  --abort-source-on-error --init-command='SET autocommit=0' \
  -h "$MYSQL_HOST" -P "$MYSQL_PORT" -u "$MYSQL_USER" "$MYSQL_DATABASE" << END
source $1
DELIMITER ;
COMMIT;
END
