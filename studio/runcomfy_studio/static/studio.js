// What the page does by itself: sliders, dropped files, counters, dialogs, copying. Nothing is judged here.
"use strict";
(() => {
  const byId = id => document.getElementById(id);
  const on = (event, work) => document.addEventListener(event, work);
  const notice = text => { byId("notice").textContent = text; };

  // A slider and its number field; the field is what is sent.
  on("input", event => {
    const input = event.target;
    if (input.dataset.slides) {
      event.stopPropagation();
      const field = byId(input.dataset.slides);
      field.value = input.value;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    } else {
      const slider = document.querySelector(`[data-slides="${CSS.escape(input.id)}"]`);
      if (slider && input.value.trim() !== "" && Number.isFinite(Number(input.value))) slider.value = input.value;
    }
    if (input.matches("textarea")) count(input);
  });

  const count = area => {
    const counter = document.querySelector(`[data-counts="${CSS.escape(area.id)}"]`);
    if (counter) counter.textContent = `${[...area.value].length} / ${counter.dataset.longest}`;
  };

  // A file that was chosen or dropped is kept by the studio; its field then holds a name for it.
  on("change", async event => {
    const input = event.target;
    if (!input.dataset.uploads || !input.files.length) return;
    const file = input.files[0], media = input.closest(".drop-zone");
    media.classList.add("busy");
    try {
      const response = await fetch("/uploads", {
        method: "POST",
        body: file,
        headers: { "X-File-Name": encodeURIComponent(file.name), "X-Studio-Key": document.body.dataset.key },
      });
      const reply = await response.json();
      if (!response.ok) throw new Error(reply.problem);
      byId(input.dataset.uploads).value = reply.reference;
      notice("");
      media.dispatchEvent(new Event("studio-dropped"));
    } catch (error) {
      notice(`The file was not taken: ${error.message}`);
    } finally {
      media.classList.remove("busy");
      input.value = "";
    }
  });

  on("click", async event => {
    const button = event.target.closest("[data-copy]");
    if (button) {
      const source = document.querySelector(button.dataset.copy);
      await navigator.clipboard.writeText(source.value ?? source.textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    }
    const link = event.target.closest(".lines a");
    const control = link && document.querySelector(`${link.hash} :is(input:not([type=hidden]), select, textarea, button)`);
    if (control) {
      event.preventDefault();
      control.focus();
      control.scrollIntoView({ block: "center" });
    }
  });

  // Marks the fields that have problems, for those who do not see their colour.
  const mark = () => {
    for (const found of document.querySelectorAll(".field > .findings")) {
      const wrong = found.querySelector(".error") !== null;
      found.parentElement.classList.toggle("wrong", wrong);
      const control = byId(found.id.slice(2));
      if (control && control.type !== "hidden") control.setAttribute("aria-invalid", wrong);
    }
    document.querySelectorAll("textarea").forEach(count);
    const dialog = document.querySelector("dialog[data-open]:not([open])");
    if (dialog) dialog.showModal();
  };
  on("htmx:after:swap", mark);
  on("studio-refused", () => document.querySelector(".field.wrong :is([aria-invalid=true], button)")?.focus());
  on("htmx:after:request", () => notice(""));
  on("htmx:error", event => {
    if (!event.target.matches(".job")) notice("The studio does not answer. Is it still running in the terminal?");
  });
  on("htmx:response:error", event => {
    const status = event.detail.ctx.response.status;
    const reload = "This page is out of date. Reload it.";
    if (!event.target.matches(".job")) notice(status === 403 ? reload : `The studio could not do that (${status}).`);
  });
  mark();
})();
