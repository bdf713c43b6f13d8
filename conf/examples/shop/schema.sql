-- A shop: products, carts, orders.  Applied once, after conf/sql/scale.sql.

CREATE TABLE products (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name      text NOT NULL,
    category  text NOT NULL,
    price     numeric(12, 2) NOT NULL,
    stock     integer NOT NULL DEFAULT 0,

    CONSTRAINT products_name_key UNIQUE (name),
    CONSTRAINT products_price_check CHECK (price >= 0),
    CONSTRAINT products_stock_check CHECK (stock >= 0)
);

CREATE INDEX products_category_price_idx ON products (category, price);

CREATE TABLE carts (
    id       uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    created  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE cart_lines (
    cart      uuid NOT NULL REFERENCES carts ON DELETE CASCADE,
    product   bigint NOT NULL,
    quantity  integer NOT NULL,

    CONSTRAINT cart_lines_pkey PRIMARY KEY (cart, product),
    CONSTRAINT cart_lines_product_fkey FOREIGN KEY (product)
               REFERENCES products,
    CONSTRAINT cart_lines_quantity_check CHECK (quantity > 0)
);

CREATE TABLE orders (
    id       uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email    text NOT NULL,
    total    numeric(14, 2) NOT NULL,
    created  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE order_lines (
    "order"   uuid NOT NULL REFERENCES orders,
    product   bigint NOT NULL REFERENCES products,
    quantity  integer NOT NULL,
    price     numeric(12, 2) NOT NULL,

    PRIMARY KEY ("order", product)
);

GRANT SELECT, INSERT, UPDATE, DELETE
   ON products, carts, cart_lines, orders, order_lines TO api;
