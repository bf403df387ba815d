import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/app.tsx";
import { composeApp } from "./app/compose.ts";
import { AppContext } from "./core/app-context.ts";
import "./ui/tokens.css";
import "./ui/base.css";

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <AppContext value={composeApp()}>
        <App />
      </AppContext>
    </StrictMode>,
  );
}
