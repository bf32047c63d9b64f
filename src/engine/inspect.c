/* inspect.c - access to both networks, layer by layer. */
#include "engine/inspect.h"

#include "engine/engine.h"

#ifndef __wasm__
const int pleura_struct_sizes[6] = {sizeof(film),          sizeof(lungs),          sizeof(crop_settings),
                                    sizeof(pleura_result), sizeof(pleura_samples), sizeof(pleura_layer)};
#endif

int pleura_has_film(const pleura_engine *e) { return e->film.pixels != NULL; }

static net *choose_net(pleura_engine *e, pleura_graph graph) { return graph == PLEURA_LUNGS ? &e->lungs_net : &e->net; }

int pleura_describe_layer(pleura_engine *e, pleura_layer *out, pleura_graph graph, int number)
{
    const net *n = choose_net(e, graph);
    if (number < 0 || number >= n->count) return 0;
    const net_layer *l = n->layers + number;
    *out = (pleura_layer){.name = l->d->name.at,
                          .name_size = l->d->name.size,
                          .h = l->d->h,
                          .w = l->d->w,
                          .c = l->d->c,
                          .c_stride = l->d->c_stride,
                          .is_int8 = net_is_int8(l),
                          .macs = net_macs(n, number),
                          .out = l->out};
    return 1;
}

pleura_status pleura_prepare(pleura_engine *e, pleura_graph graph, const void *file, size_t size)
{
    film f;
    pleura_status status = film_decode(&f, file, size);
    if (status) return status;
    film_free(&e->film);
    e->film = f;
    if (graph == PLEURA_DIAGNOSIS) engine_prepare(e);
    else if (e->mask) film_input(net_input(&e->lungs_net), e->lungs.side, &e->film);
    return PLEURA_OK;
}

int pleura_offer_products(pleura_engine *e, pleura_products *products)
{
    int8_dot dot = {products, 0};
    if (!e->int8.dot.run || !int8_dot_works(&dot)) return 0;
    e->int8.dot = dot;
    return 1;
}

void pleura_run_layer(pleura_engine *e, pleura_graph graph, int number)
{
    net *n = choose_net(e, graph);
    if (number >= 0 && number < n->count) net_step(n, &e->kernels, number);
}
