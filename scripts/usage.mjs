export const usage = `npm start -- [options]

  (no option)               play the demo footage as a camera
  --video FILE [FILE ...]   play video files as ONVIF/RTSP cameras
  --camera rtsp://...       take a real camera (repeat for more); HUISHI_CAMERA_USER and
                            HUISHI_CAMERA_PASSWORD hold its account, if it asks for one
  --generated               play the generated scene instead of the demo footage
  --port N                  port of the wall, default 8080
  --mqtt-port N             port of the MQTT endpoint, default 1883
  --state FOLDER            where everything is kept, default var/
  DATABASE_URL              an external PostgreSQL or TimescaleDB instead of the embedded one`;
