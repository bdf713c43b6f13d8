-- What is in the cart leaves the stock and becomes an order.

WITH line AS (
    DELETE FROM cart_lines
     USING products
     WHERE cart = :cart AND products.id = product
 RETURNING product, quantity, price
), taken AS (
    UPDATE products
       SET stock = stock - quantity
      FROM line
     WHERE id = product
), made AS (
    INSERT INTO orders (email, total)
         SELECT :email, sum(quantity * price) FROM line
      RETURNING *
), kept AS (
    INSERT INTO order_lines
         SELECT made.id, product, quantity, line.price FROM made, line
)
SELECT *, '/orders/' || id AS "http:Location" FROM made
