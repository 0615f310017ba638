/** Who is using the page: a person who logged in, or a visitor of the demo on its own machine. */

import { shallowRef } from "vue";

import { api, type Me } from "../api/client";

const me = shallowRef<Me | null>(null);

export function useSession() {
  return {
    me,
    /** Ask the API who we are; throws an ApiError with status 401 where a login is needed. */
    async load(): Promise<Me> {
      me.value ??= await api.me();
      return me.value;
    },
    forget(): void {
      me.value = null;
    },
  };
}
