-- Runs as the application's user, in one transaction.
INSERT INTO products (name, price) VALUES
  ('Teapot', 1900),
  ('Cup', 700);
