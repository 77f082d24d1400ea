-- The demo database: Kettle & Pine, an invented online shop for kitchen, coffee, camping and desk things,
-- from November 2024 to October 2026. Every name, place of work and text in it is made up.
--
-- Nothing here names a schema: the loader sets search_path, runs this file, then copies one CSV file per table
-- in the order of the tables below:
--     COPY products FROM STDIN WITH (FORMAT csv, HEADER)
-- An empty unquoted field is NULL; a quoted empty field is an empty text.

CREATE TABLE products (
    id           bigint PRIMARY KEY,
    name         text NOT NULL UNIQUE CHECK (name <> ''),
    category     text NOT NULL CHECK (category IN ('Coffee', 'Kitchen', 'Camping', 'Desk', 'Gifts')),
    price        numeric(8, 2) NOT NULL CHECK (price > 0),
    launched_on  date NOT NULL,
    discontinued boolean NOT NULL DEFAULT false
);

COMMENT ON TABLE products IS 'What the shop sells.';
COMMENT ON COLUMN products.price IS
    'Price at launch in EUR. What a customer paid is in order_items.unit_price; '
    'the beans and the knife have cost more since August 2026.';
COMMENT ON COLUMN products.launched_on IS 'First day on sale.';
COMMENT ON COLUMN products.discontinued IS 'True: no longer sold; old orders and reviews stay.';

CREATE TABLE customers (
    id         bigint PRIMARY KEY,
    name       text NOT NULL CHECK (name <> ''),
    country    text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
    city       text NOT NULL,
    joined_at  timestamptz NOT NULL,
    newsletter boolean NOT NULL DEFAULT false
);

COMMENT ON TABLE customers IS 'People with an account. All of them are invented.';
COMMENT ON COLUMN customers.country IS 'ISO 3166-1 alpha-2 code.';
COMMENT ON COLUMN customers.joined_at IS 'When the account was opened; no order is older.';
COMMENT ON COLUMN customers.newsletter IS 'True: has agreed to receive the newsletter.';

CREATE TABLE orders (
    id          bigint PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customers (id),
    ordered_at  timestamptz NOT NULL,
    status      text NOT NULL CHECK (status IN ('paid', 'shipped', 'delivered', 'returned', 'cancelled')),
    channel     text NOT NULL CHECK (channel IN ('web', 'app', 'marketplace', 'phone')),
    total       numeric(10, 2) NOT NULL CHECK (total >= 0)
);

CREATE INDEX orders_customer_id_ordered_at_idx ON orders (customer_id, ordered_at);
CREATE INDEX orders_ordered_at_idx ON orders (ordered_at);

COMMENT ON TABLE orders IS 'One row per order that was paid for.';
COMMENT ON COLUMN orders.id IS
    'The number in the order confirmation ("KP-10233" is 10233). Rises with time, with gaps: abandoned baskets take a number too.';
COMMENT ON COLUMN orders.status IS 'Where the order stands at the end of October 2026.';
COMMENT ON COLUMN orders.channel IS 'Where it was placed.';
COMMENT ON COLUMN orders.total IS
    'EUR: the sum of the items, plus 4.90 for shipping below 75.00 (gift cards alone ship free).';

CREATE TABLE order_items (
    order_id   bigint NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    product_id bigint NOT NULL REFERENCES products (id),
    quantity   integer NOT NULL CHECK (quantity > 0),
    unit_price numeric(8, 2) NOT NULL CHECK (unit_price > 0),
    PRIMARY KEY (order_id, product_id)
);

CREATE INDEX order_items_product_id_idx ON order_items (product_id);

COMMENT ON TABLE order_items IS 'The lines of an order, one per product.';
COMMENT ON COLUMN order_items.unit_price IS 'EUR for one piece on the day of the order.';

CREATE TABLE reviews (
    id          bigint PRIMARY KEY,
    product_id  bigint NOT NULL REFERENCES products (id),
    customer_id bigint NOT NULL REFERENCES customers (id),
    rating      smallint NOT NULL CHECK (rating BETWEEN 1 AND 5),
    title       text,
    body        text,
    channel     text NOT NULL CHECK (channel IN ('web', 'app', 'email', 'marketplace')),
    verified    boolean NOT NULL,
    written_at  timestamptz NOT NULL
);

CREATE INDEX reviews_product_id_written_at_idx ON reviews (product_id, written_at);
CREATE INDEX reviews_customer_id_idx ON reviews (customer_id);
CREATE INDEX reviews_written_at_idx ON reviews (written_at);

COMMENT ON TABLE reviews IS 'Product reviews, as customers wrote them.';
COMMENT ON COLUMN reviews.rating IS 'Stars, 1 (worst) to 5 (best). People do not always rate what they write about.';
COMMENT ON COLUMN reviews.title IS 'Headline; NULL where the customer gave none.';
COMMENT ON COLUMN reviews.body IS 'The text. Empty where only stars were given; NULL where the review came in without a text field.';
COMMENT ON COLUMN reviews.channel IS 'Where the review was written.';
COMMENT ON COLUMN reviews.verified IS 'True: the customer had ordered the product before.';

CREATE TABLE support_tickets (
    id          bigint PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customers (id),
    order_id    bigint REFERENCES orders (id),
    topic       text NOT NULL CHECK (topic <> ''),
    priority    text NOT NULL CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
    status      text NOT NULL CHECK (status IN ('open', 'waiting', 'solved', 'closed')),
    channel     text NOT NULL,
    subject     text NOT NULL,
    body        text NOT NULL,
    opened_at   timestamptz NOT NULL,
    closed_at   timestamptz,
    CHECK (closed_at >= opened_at)
);

CREATE INDEX support_tickets_customer_id_idx ON support_tickets (customer_id);
CREATE INDEX support_tickets_order_id_idx ON support_tickets (order_id);
CREATE INDEX support_tickets_opened_at_idx ON support_tickets (opened_at);

COMMENT ON TABLE support_tickets IS 'What customers wrote to support, and what support noted on the telephone.';
COMMENT ON COLUMN support_tickets.order_id IS 'The order it is about; NULL where it is about none, or nobody knows.';
COMMENT ON COLUMN support_tickets.topic IS 'What support filed it under.';
COMMENT ON COLUMN support_tickets.status IS 'Where the ticket stands at the end of October 2026.';
COMMENT ON COLUMN support_tickets.channel IS 'How it reached us; a telephone ticket holds the note of whoever took the call.';
COMMENT ON COLUMN support_tickets.body IS 'The first message of the ticket, or the note of the call.';
COMMENT ON COLUMN support_tickets.closed_at IS 'NULL while the ticket is not closed.';

CREATE TABLE survey_answers (
    id          bigint PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customers (id),
    survey      text NOT NULL,
    question    text NOT NULL,
    score       smallint CHECK (score BETWEEN 0 AND 10),
    answer      text NOT NULL,
    channel     text NOT NULL,
    answered_at timestamptz NOT NULL
);

CREATE INDEX survey_answers_customer_id_idx ON survey_answers (customer_id);
CREATE INDEX survey_answers_answered_at_idx ON survey_answers (answered_at);

COMMENT ON TABLE survey_answers IS 'Open answers from the seasonal surveys and the short ones after a delivery or a support case.';
COMMENT ON COLUMN survey_answers.survey IS 'The survey it was given in.';
COMMENT ON COLUMN survey_answers.question IS 'The open question as it was asked.';
COMMENT ON COLUMN survey_answers.score IS
    'How likely to recommend the shop, 0 (not at all) to 10 (very); NULL where it was not asked or not given.';
COMMENT ON COLUMN survey_answers.answer IS 'The text as it was written; may be empty.';
