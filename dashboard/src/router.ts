/** Addresses of the page. Who is not known is sent to the login first and comes back after it. */

import { createRouter, createWebHistory } from "vue-router";

import type { ApiError } from "./api/client";
import { useSession } from "./composables/useSession";
import HomeView from "./views/HomeView.vue";

export function makeRouter() {
  const router = createRouter({
    history: createWebHistory(),
    routes: [
      { path: "/", component: HomeView },
      { path: "/fleet", component: () => import("./views/FleetView.vue") },
      { path: "/login", component: () => import("./views/LoginView.vue"), meta: { open: true } },
      { path: "/setup", component: () => import("./views/SetupView.vue"), meta: { open: true } },
      { path: "/:path(.*)*", redirect: "/" },
    ],
  });

  router.beforeEach(async (to) => {
    if (to.meta["open"]) return true;
    try {
      await useSession().load();
      return true;
    } catch (error) {
      // where nobody answers, the view itself says so and tries again
      return (error as ApiError).status === 401 ? { path: "/login", query: { next: to.fullPath } } : true;
    }
  });
  return router;
}
