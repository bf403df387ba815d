import type { CameraGroundPlane, GroundPairs, Rule } from "@huishi/contracts";
import { groundPlaneProblem, type GroundPlaneProblem, HuishiError } from "@huishi/kernel";
import { needsGroundPlane } from "../domain/rule-fit.ts";
import { type CameraStore, getCamera } from "./cameras.ts";
import { settle, type Versioned } from "./versioned.ts";

export interface GroundPlaneStore {
  findGroundPlane(cameraId: string): Promise<CameraGroundPlane | null>;
  /** @param put names the version it was made from; 0: there was none */
  putGroundPlane(put: {
    cameraId: string;
    pairs: GroundPairs;
    version: number;
  }): Promise<Versioned<CameraGroundPlane>>;
  deleteGroundPlane(cameraId: string): Promise<boolean>;
}

export interface GroundPlaneParts {
  readonly cameras: CameraStore;
  readonly grounds: GroundPlaneStore;
  readonly rules: { listRules(cameraId: string): Promise<Rule[]> };
}

/** How cameras' pictures lie on the ground. */
export class GroundPlanes {
  readonly #parts: GroundPlaneParts;

  constructor(parts: GroundPlaneParts) {
    this.#parts = parts;
  }

  /** @throws HuishiError CAMERA_NOT_FOUND, GROUND_PLANE_NOT_FOUND */
  async get(cameraId: string): Promise<CameraGroundPlane> {
    await getCamera(this.#parts.cameras, cameraId);
    const found = await this.#parts.grounds.findGroundPlane(cameraId);
    if (found === null) throw noGroundPlane(cameraId);
    return found;
  }

  /**
   * @throws HuishiError CAMERA_NOT_FOUND, VERSION_CONFLICT, GROUND_PLANE_NOT_FOUND (it was deleted meanwhile) and the
   *   codes of four points that make no plane
   */
  async put(put: { cameraId: string; pairs: GroundPairs; version: number }): Promise<CameraGroundPlane> {
    const problem = groundPlaneProblem(put.pairs);
    if (problem !== null) throw refusalOf(problem);
    await getCamera(this.#parts.cameras, put.cameraId);
    return settle(await this.#parts.grounds.putGroundPlane(put), () => noGroundPlane(put.cameraId));
  }

  /** @throws HuishiError CAMERA_NOT_FOUND, GROUND_PLANE_NOT_FOUND, GROUND_PLANE_IN_USE */
  async delete(cameraId: string): Promise<void> {
    await getCamera(this.#parts.cameras, cameraId);
    const rules = (await this.#parts.rules.listRules(cameraId)).filter(needsGroundPlane);
    if (rules.length > 0) {
      throw new HuishiError(
        "GROUND_PLANE_IN_USE",
        "Rules of this camera need its ground plane; delete or change them first.",
        { details: { ruleIds: rules.map(({ id }) => id) } },
      );
    }
    if (!(await this.#parts.grounds.deleteGroundPlane(cameraId))) throw noGroundPlane(cameraId);
  }
}

function noGroundPlane(cameraId: string): HuishiError {
  return new HuishiError(
    "GROUND_PLANE_NOT_FOUND",
    "This camera has no ground plane; give four points of the ground.",
    { details: { cameraId } },
  );
}

/** Each code with a text of its own: they say which point to move. */
function refusalOf(problem: GroundPlaneProblem): HuishiError {
  const { code: _code, ...facts } = problem;
  const options = { details: { field: "pairs", ...facts } };
  switch (problem.code) {
    case "GROUND_PLANE_POINTS":
      return new HuishiError("GROUND_PLANE_POINTS", "A ground plane has exactly four points.", options);
    case "GROUND_PLANE_COLLINEAR":
      return new HuishiError(
        "GROUND_PLANE_COLLINEAR",
        "Three of the four points lie almost on one line; choose corners of a wide quadrilateral.",
        options,
      );
    case "GROUND_PLANE_ORDER":
      return new HuishiError(
        "GROUND_PLANE_ORDER",
        "The points must go round a convex quadrilateral, in the same order in the picture and on the map.",
        options,
      );
    case "GROUND_PLANE_MIRRORED":
      return new HuishiError(
        "GROUND_PLANE_MIRRORED",
        "The map would be seen as in a mirror: left and right points are exchanged.",
        options,
      );
    default:
      return new HuishiError(
        "GROUND_PLANE_TOO_LARGE",
        "The points are more than 2 km apart; choose points that the camera sees clearly.",
        options,
      );
  }
}
