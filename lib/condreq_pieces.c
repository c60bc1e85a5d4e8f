/* A sequence of pieces as a weight-balanced tree (Adams; Hirai and Yamamoto's
 * parameters), so that no choice of operations makes it deep: what recurses
 * here does so some 2.5 log n levels. Copied on write, node by node.
 * Knows pieces' counts, numbers and names; nothing of texts and lengths. */

#include "apr_strings.h"
#include "condreq_pieces.h"

struct condreq_pieces_node_t {
    condreq_pieces_node_t *left;
    condreq_pieces_node_t *right;
    /* pieces here and below, and children in them */
    apr_size_t count;
    apr_size_t children;
    /* more than one tree has it */
    int is_shared;
    condreq_piece_t piece;
};

/* A side may weigh so many times the other, and the inner half of a heavy
 * side so many times the outer one before it is turned twice. */
#define HEAVY 3
#define INNER_HEAVY 2

static apr_size_t count_of(const condreq_pieces_node_t *node)
{
    return node ? node->count : 0;
}

static apr_size_t children_of(const condreq_pieces_node_t *node)
{
    return node ? node->children : 0;
}

static apr_size_t weight_of(const condreq_pieces_node_t *node)
{
    return count_of(node) + 1;
}

static void sum_up(condreq_pieces_node_t *node)
{
    node->count = count_of(node->left) + 1 + count_of(node->right);
    node->children =
        children_of(node->left) + node->piece.count + children_of(node->right);
}

static void share(condreq_pieces_node_t *node)
{
    if (node)
        node->is_shared = 1;
}

/* The node itself, or, if another tree has it too, a copy for this one alone.
 * What hangs on it has then two owners. */
static condreq_pieces_node_t *own(condreq_pieces_node_t *node, apr_pool_t *pool)
{
    condreq_pieces_node_t *copy;

    if (!node->is_shared)
        return node;
    share(node->left);
    share(node->right);
    if (node->piece.value.changed)
        node->piece.value.changed->is_shared = 1;
    copy = apr_pmemdup(pool, node, sizeof(*node));
    copy->is_shared = 0;
    return copy;
}

static condreq_pieces_node_t *turn_left(condreq_pieces_node_t *node,
                                        apr_pool_t *pool)
{
    condreq_pieces_node_t *right = own(node->right, pool);

    node->right = right->left;
    right->left = node;
    sum_up(node);
    sum_up(right);
    return right;
}

static condreq_pieces_node_t *turn_right(condreq_pieces_node_t *node,
                                         apr_pool_t *pool)
{
    condreq_pieces_node_t *left = own(node->left, pool);

    node->left = left->right;
    left->right = node;
    sum_up(node);
    sum_up(left);
    return left;
}

static condreq_pieces_node_t *lighten_right(condreq_pieces_node_t *node,
                                            apr_pool_t *pool)
{
    const condreq_pieces_node_t *right = node->right;

    if (weight_of(right->left) >= INNER_HEAVY * weight_of(right->right))
        node->right = turn_right(own(node->right, pool), pool);
    return turn_left(node, pool);
}

static condreq_pieces_node_t *lighten_left(condreq_pieces_node_t *node,
                                           apr_pool_t *pool)
{
    const condreq_pieces_node_t *left = node->left;

    if (weight_of(left->right) >= INNER_HEAVY * weight_of(left->left))
        node->left = turn_left(own(node->left, pool), pool);
    return turn_right(node, pool);
}

/* An owned node, one of whose sides has got or lost a piece. */
static condreq_pieces_node_t *balance(condreq_pieces_node_t *node,
                                      apr_pool_t *pool)
{
    apr_size_t left = weight_of(node->left);
    apr_size_t right = weight_of(node->right);

    if (right > HEAVY * left)
        return lighten_right(node, pool);
    if (left > HEAVY * right)
        return lighten_left(node, pool);
    sum_up(node);
    return node;
}

static condreq_pieces_node_t *node_make(const condreq_piece_t *piece,
                                        apr_pool_t *pool)
{
    condreq_pieces_node_t *node = apr_pcalloc(pool, sizeof(*node));

    node->piece = *piece;
    sum_up(node);
    return node;
}

static condreq_pieces_node_t *insert(condreq_pieces_node_t *node,
                                     apr_size_t rank,
                                     const condreq_piece_t *piece,
                                     apr_pool_t *pool)
{
    apr_size_t before;

    if (!node)
        return node_make(piece, pool);
    node = own(node, pool);
    before = count_of(node->left);
    if (rank <= before)
        node->left = insert(node->left, rank, piece, pool);
    else
        node->right = insert(node->right, rank - before - 1, piece, pool);
    return balance(node, pool);
}

static const condreq_pieces_node_t *find(const condreq_pieces_node_t *node,
                                         apr_size_t rank)
{
    apr_size_t before;

    while (rank != (before = count_of(node->left))) {
        if (rank < before) {
            node = node->left;
        }
        else {
            rank -= before + 1;
            node = node->right;
        }
    }
    return node;
}

static condreq_pieces_node_t *take_out(condreq_pieces_node_t *node,
                                       apr_size_t rank, apr_pool_t *pool)
{
    apr_size_t before;

    node = own(node, pool);
    before = count_of(node->left);
    if (rank < before) {
        node->left = take_out(node->left, rank, pool);
    }
    else if (rank > before) {
        node->right = take_out(node->right, rank - before - 1, pool);
    }
    else if (!node->left) {
        return node->right;
    }
    else if (!node->right) {
        return node->left;
    }
    else {
        node->piece = find(node->right, 0)->piece;
        node->right = take_out(node->right, 0, pool);
    }
    return balance(node, pool);
}

apr_size_t condreq_pieces_count(const condreq_pieces_t *pieces)
{
    return count_of(pieces->root);
}

apr_size_t condreq_pieces_children(const condreq_pieces_t *pieces)
{
    return children_of(pieces->root);
}

const condreq_piece_t *condreq_pieces_get(const condreq_pieces_t *pieces,
                                          apr_size_t rank)
{
    return &find(pieces->root, rank)->piece;
}

condreq_piece_t *condreq_pieces_own(condreq_pieces_t *pieces, apr_size_t rank,
                                    apr_pool_t *pool)
{
    condreq_pieces_node_t **link = &pieces->root;
    condreq_pieces_node_t *node;
    apr_size_t before;

    for (;;) {
        *link = node = own(*link, pool);
        before = count_of(node->left);
        if (rank == before)
            return &node->piece;
        link = rank < before ? &node->left : &node->right;
        if (rank > before)
            rank -= before + 1;
    }
}

void condreq_pieces_insert(condreq_pieces_t *pieces, apr_size_t rank,
                           const condreq_piece_t *piece, apr_pool_t *pool)
{
    pieces->root = insert(pieces->root, rank, piece, pool);
}

void condreq_pieces_remove(condreq_pieces_t *pieces, apr_size_t rank,
                           apr_pool_t *pool)
{
    pieces->root = take_out(pieces->root, rank, pool);
}

void condreq_pieces_share(condreq_pieces_t *pieces)
{
    share(pieces->root);
}

condreq_pieces_place_t condreq_pieces_at(const condreq_pieces_t *pieces,
                                         apr_size_t position)
{
    const condreq_pieces_node_t *node = pieces->root;
    condreq_pieces_place_t place = {0, 0};
    apr_size_t before;

    while (node) {
        before = children_of(node->left);
        if (position < before) {
            node = node->left;
            continue;
        }
        place.rank += count_of(node->left);
        if (position - before < node->piece.count) {
            place.offset = position - before;
            break;
        }
        place.rank++;
        position -= before + node->piece.count;
        node = node->right;
    }
    return place;
}

int condreq_pieces_numbered(const condreq_pieces_t *pieces, apr_size_t number,
                            condreq_pieces_place_t *place)
{
    const condreq_pieces_node_t *node = pieces->root;

    place->rank = place->offset = 0;
    while (node) {
        if (number < node->piece.number) {
            node = node->left;
            continue;
        }
        place->rank += count_of(node->left);
        if (number - node->piece.number < node->piece.count) {
            place->offset = number - node->piece.number;
            return 1;
        }
        place->rank++;
        node = node->right;
    }
    return 0;
}

int condreq_pieces_named(const condreq_pieces_t *pieces, const char *name,
                         apr_size_t length, apr_size_t *rank)
{
    const condreq_pieces_node_t *node = pieces->root;
    int order;

    *rank = 0;
    while (node) {
        order = condreq_json_string_compare(name, length, node->piece.name,
                                            node->piece.name_length);
        if (order < 0) {
            node = node->left;
            continue;
        }
        *rank += count_of(node->left);
        if (order == 0)
            return 1;
        (*rank)++;
        node = node->right;
    }
    return 0;
}
