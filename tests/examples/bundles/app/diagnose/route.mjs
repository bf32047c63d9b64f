// POST /diagnose answers the record of a film.
import { createPool } from 'pleura';

let pool;

/** @param {Request} request */
export async function POST(request) {
  try {
    pool ??= createPool({ threads: 1 });
    return Response.json(await (await pool).diagnose(await request.arrayBuffer()));
  } catch (error) {
    if (error.name !== 'PleuraError') throw error;
    return Response.json({ code: error.code, message: error.message }, { status: 422 });
  }
}
