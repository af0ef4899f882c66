// SPDX-License-Identifier: LGPL-2.1-or-later
/** So many machines as there are for jobs; who finds none free waits in turn. */

export class Machines {
  constructor(count) {
    this.#free = count;
  }

  #free;
  #waiting = [];

  /** Do something on a machine; returns what it returns. */
  async use(work) {
    if (this.#free > 0) this.#free--;
    else await new Promise((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}
