import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { asProblem } from "./api/problem";
import { router } from "./router";
import { Gate } from "./session/Gate";
import { apply } from "./shell/theme";
import "./styles/index.css";

apply();

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // What the server has refused it will refuse again; when it is away, it comes back.
      retry: (count, error) => asProblem(error).away && count < 20,
      retryDelay: (count) => Math.min(1_000 * 2 ** count, 15_000),
      networkMode: "always",
    },
  },
});

const place = document.getElementById("root");
if (place !== null) {
  createRoot(place).render(
    <StrictMode>
      <QueryClientProvider client={queries}>
        <Gate>
          <RouterProvider router={router} />
        </Gate>
      </QueryClientProvider>
    </StrictMode>,
  );
}
