# conf/examples/shop: what its customers and its owner see.

use strict;
use warnings;
use lib 't/lib';
use Scale qw(postgres memcached);
use Scale::Example;
use JSON::PP;
use Test::More;

Scale::sql(Scale::Example::text('shop/schema.sql'));
Scale::sql(<<'SQL');
INSERT INTO products (name, category, price, stock) VALUES
    ('Teapot', 'kitchen', 19.90, 5), ('Cup', 'kitchen', 4.05, 100),
    ('Lamp', 'light', 49.00, 1), ('Kettle', 'kitchen', 0.10, 3);
SQL

my $nginx = Scale::nginx(Scale::Example::http('shop'), workers => 2);


# { code, headers, body, json } of a request whose body may be a structure

sub ask
{
    my ($method, $path, $body) = @_;

    my $answer = Scale::request($method, $path,
                                defined $body ? encode_json($body) : undef,
                                defined $body
                                ? ('Content-Type' => 'application/json') : ());

    $answer->{json} = eval { decode_json($answer->{body}) };

    return $answer;
}


sub names
{
    my ($query) = @_;

    my $list = ask('GET', "/products$query")->{json};

    return join ' ', map { $_->{name} } @$list;
}


# a cart with what is given: product => quantity

sub cart
{
    my (%line) = @_;

    my $cart = ask('POST', '/carts')->{json}{id};

    for my $product (sort keys %line) {
        ask('PUT', "/carts/$cart/$product", { quantity => $line{$product} });
    }

    return $cart;
}


sub order
{
    my ($cart) = @_;

    return ask('POST', '/orders', { cart => $cart, email => 'a@b.test' });
}


sub stock
{
    my ($product) = @_;

    return ask('GET', "/products/$product")->{json}{stock};
}


# the catalogue

is(names(''), 'Cup Kettle Lamp Teapot', 'products come by name');
is(names('?sort=price'), 'Kettle Cup Teapot Lamp', 'or by price');
is(names('?sort=-price&category=kitchen'), 'Teapot Cup Kettle',
   'of a category, the other way round');
is(names('?q=ET'), 'Kettle', 'or by a part of the name');
is(names('?q=p&min=4.05&max=19.90'), 'Cup Teapot',
   'filters add up, and their bounds belong to them');
is(names('?q=%25'), '', 'a search for a wildcard finds none');

my $refused = ask('GET', '/products?sort=rank&page=0');
is($refused->{code}, 400, 'an unknown order is refused');
is_deeply([map { "$_->{name} $_->{detail}" } @{ $refused->{json}{errors} }],
          ['sort must be one of name, price, -price',
           'page must be 1 to 500'], 'with what there is');


# a product

like(ask('GET', '/products/1')->{body}, qr/"price":19\.90,/,
     'a price is written with all its digits');
is(ask('GET', '/products/1')->{headers}{'x-cache'}, 'HIT',
   'a product\'s page is cached');
is(ask('GET', '/products/99')->{code}, 404, 'there is no other product');

like(ask('PATCH', '/products/4', { price => '12345678.91' })->{body},
     qr/"price":12345678\.91,/, 'a price is changed');
like(ask('GET', '/products/4')->{body}, qr/"price":12345678\.91,/,
     'and so is the page');
is(names('?sort=price'), 'Cup Teapot Lamp Kettle', 'and the list');
is(ask('PATCH', '/products/4', { price => -1 })->{json}{errors}[0]{detail},
   'must be at least 0', 'a price below 0 is refused');


# a cart

my $cart = ask('POST', '/carts');
is($cart->{code}, 201, 'a cart is made');
my $path = $cart->{headers}{location};
is(ask('GET', $path)->{json}{total}, 0, 'it is empty');
is(ask('PUT', "$path/1", { quantity => 2 })->{code}, 204, 'a line is added');
is(ask('PUT', "$path/2", { quantity => 9 })->{code}, 204, 'and another');
is(ask('PUT', "$path/2", { quantity => 3 })->{code}, 204, 'and changed');
like(ask('GET', $path)->{body}, qr/"total":51\.95,/, 'the total is exact');
is(ask('DELETE', "$path/2")->{code}, 204, 'a line is taken out');
is(ask('DELETE', "$path/2")->{code}, 404, 'once');
is_deeply([map { $_->{name} } @{ ask('GET', $path)->{json}{lines} }],
          ['Teapot'], 'the other one stays');

my $none = ask('PUT', "$path/99", { quantity => 1 });
is("$none->{code} $none->{json}{detail}", '404 no such cart or product',
   'what there is not cannot be put into it');


# an order

$cart = cart(1 => 2, 2 => 3);
is(join(' ', stock(1), stock(2)), '5 100', 'both pages are in the cache');
my $order = order($cart);
is($order->{code}, 201, 'a cart is ordered');
like($order->{body}, qr/"total":51\.95,/, 'at its exact total');
is(join(' ', stock(1), stock(2)), '3 97', 'each page has the new stock');
like(ask('GET', $order->{headers}{location})->{body}, qr/"total":51\.95,/,
     'the order is there');
is(Scale::sql('SELECT string_agg(product || \':\' || quantity || \':\''
              . ' || price, \' \' ORDER BY product) FROM order_lines'),
   '1:2:19.90 2:3:4.05', 'with its lines');
is(order($cart)->{code}, 404, 'the cart is empty then');

$cart = cart(1 => 4, 2 => 1, 3 => 2);
my $missing = order($cart);
is($missing->{code}, 409, 'an order of more than there is is refused');
is($missing->{json}{title}, 'Not enough in stock', 'with a title');
is_deeply($missing->{json}{missing},
          [{ product => 1, quantity => 4, stock => 3 },
           { product => 3, quantity => 2, stock => 1 }],
          'and all that is missing');
is(join(' ', stock(1), stock(2), stock(3)), '3 97 1', 'nothing has changed');
is(scalar @{ ask('GET', "/carts/$cart")->{json}{lines} }, 3,
   'the cart is as it was');


# customers who want the same, in different carts

my @carts = map { cart(3 => 1, 2 => 1) } 1 .. 8;
my @begun = map { Scale::begin('POST', '/orders',
                               encode_json({ cart => $_, email => 'a@b.c' }),
                               'Content-Type' => 'application/json') } @carts;
my %codes;
$codes{ Scale::receive($_)->{code} }++ for @begun;
is_deeply(\%codes, { 201 => 1, 409 => 7 }, 'the last one is sold once');
is(join(' ', stock(2), stock(3)), '96 0', 'and all see that');

done_testing();
